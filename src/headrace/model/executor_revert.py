"""What a revert says: the Executor's own errors, Solidity's `Error(string)` and `Panic(uint256)`, or the bare selector.

The signatures are those of contracts/src; a test compares this list with the compiled contract. What a string says is
any contract's to choose and is written to journal, history and terminal: it is cut, and holds no control characters.
"""

import re

from headrace.model.address import keccak_hex

_SIGNATURES = (
    "AllowanceLeft(address,address,uint256)",
    "BalanceFell(address,uint256,uint256)",
    "CallbackMissing(address)",
    "CallbackNotExpected(address)",
    "CapitalInsufficient(address,uint256,uint256)",
    "CurveCallUnknown(uint256,uint8)",
    "DeadlinePassed(uint256,uint256)",
    "ExecuteReentered(address)",
    "FeeOutOfRange(uint256,uint256)",
    "FlashSwapUnsupported(uint8)",
    "FundingUnknown(uint8)",
    "InputNotConsumed(address,uint256,uint256)",
    "IsPaused()",
    "LenderInvalid(uint8,address)",
    "NativeCoinRefused(address)",
    "NativeCoinUnsupported(uint256)",
    "NotGuardian(address)",
    "NotItself(address)",
    "NotOperator(address)",
    "NotOwner(address)",
    "OperatorIsZero()",
    "OwnerIsZero()",
    "PlanTruncated(uint256,uint256)",
    "ProfitBelowMinimum(int256,uint256)",
    "SafeCastOverflowedIntToUint(int256)",
    "SafeCastOverflowedUintToInt(uint256)",
    "SafeERC20FailedOperation(address)",
    "StepKindUnknown(uint256,uint8)",
    "StepNotConnected(uint256,uint256,uint256)",
    "StepTokensEqual(uint256,uint256)",
    "StepsTooFew(uint256)",
    "TipNotInNative(address)",
    "TipRefused(address,uint256)",
    "TipShareTooLarge(uint256,uint256)",
    "TokenIndexOutOfRange(uint256,uint256,uint256)",
    "TokenNotGuarded(address)",
    "TokenNotListed(address)",
    "TokensTooFew(uint256)",
    "TreasuryIsZero()",
    "WalkNotClosed(uint256)",
)
SIGNATURE_OF = {keccak_hex(signature.encode())[:10]: signature for signature in _SIGNATURES}
_HEX = re.compile(r"0x([0-9a-f]{2})*")
_ERROR_STRING = "0x08c379a0"
_PANIC = "0x4e487b71"
_SELECTOR_CHARACTERS = 10
_WORD_CHARACTERS = 64
_STRING_CHARACTERS_MAX = 200
_UTF8_BYTES_MAX = 4  # of one character


def describe_revert(data: str) -> str:
    """A short sentence for revert data in 0x hex; empty where a call reverted without any."""
    selector, words = data[:_SELECTOR_CHARACTERS], data[_SELECTOR_CHARACTERS:]
    if len(data) < _SELECTOR_CHARACTERS:
        return ""
    if not _HEX.fullmatch(data):
        return "reverted with data that is no hex"
    if selector == _ERROR_STRING:
        return _string(words)
    if selector == _PANIC and len(words) >= _WORD_CHARACTERS:
        return f"Panic({int(words[:_WORD_CHARACTERS], 16):#x})"
    signature = SIGNATURE_OF.get(selector)
    if signature is None:
        return f"reverted with {selector}"
    name, kinds = signature[:-1].split("(")
    values = [_value(kind, words, at) for at, kind in enumerate(kinds.split(",")) if kind]
    return f"{name}({', '.join(values)})"


def _value(kind: str, words: str, at: int) -> str:
    word = words[at * _WORD_CHARACTERS : (at + 1) * _WORD_CHARACTERS]
    if len(word) != _WORD_CHARACTERS:
        return "?"
    number = int(word, 16)
    if kind == "address":
        return f"0x{number:040x}"
    is_negative = kind.startswith("int") and number >> 255
    return str(number - 2**256 if is_negative else number)


def _string(words: str) -> str:
    raw = bytes.fromhex(words)
    size = int.from_bytes(raw[32:64], "big")
    text = raw[64 : 64 + min(size, _UTF8_BYTES_MAX * (_STRING_CHARACTERS_MAX + 1))].decode("utf-8", errors="replace")
    shown = text if len(text) <= _STRING_CHARACTERS_MAX else f"{text[:_STRING_CHARACTERS_MAX]}…"
    return "".join(one if one.isprintable() else "\ufffd" for one in shown)
