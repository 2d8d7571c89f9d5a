"""Contracts that answer what they like: EVM code that returns fixed bytes for each selector and reverts on others."""

from collections.abc import Mapping

from headrace.adapters.protocols.words import call_data

_DISPATCH = "6000" + "35" + "60e0" + "1c"  # PUSH1 0, CALLDATALOAD, PUSH1 224, SHR: the selector
_REVERT = "6000" + "6000" + "fd"
_CASE_BYTES = 11  # DUP1, PUSH4 selector, EQ, PUSH2 target, JUMPI
_BODY_BYTES = 16  # JUMPDEST, CODECOPY(0, from, size), RETURN(0, size)


def answering(answers: Mapping[str, bytes]) -> str:
    """Runtime code, 0x hex; keys are signatures such as `token0()`."""
    head = len(bytes.fromhex(_DISPATCH)) + _CASE_BYTES * len(answers) + len(bytes.fromhex(_REVERT))
    data_at = head + _BODY_BYTES * len(answers)
    cases, bodies, data = "", "", ""
    for i, (signature, answer) in enumerate(answers.items()):
        cases += f"8063{call_data(signature).hex()}1461{head + _BODY_BYTES * i:04x}57"
        bodies += f"5b61{len(answer):04x}61{data_at + len(data) // 2:04x}60003961{len(answer):04x}6000f3"
        data += answer.hex()
    return "0x" + _DISPATCH + cases + _REVERT + bodies + data


def words(*values: int) -> bytes:
    """Values as ABI words."""
    return b"".join(value.to_bytes(32, "big") for value in values)
