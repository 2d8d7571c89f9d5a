"""The Executor's plan: what one atomic transaction does, and its packed big-endian wire format.

`encode` and `decode` are each other's inverse; `decode` refuses every byte string that `encode` could not have made.
The format is specified in contracts/README.md; the contract's own reader is contracts/src/libraries/PlanReader.sol.

    offset size field
    0      1    funding
    1      20   lender, zero for own capital and flash swaps
    21     16   amount in, of tokens[0]
    37     16   least profit, of tokens[0]
    53     8    deadline block
    61     2    tip: this share of the profit, in basis points, to the
                block's builder; the first token is then wrapped native
    63     1    number of tokens n
    64     20n  tokens
    ...         steps to the end: kind 1, token in 1, token out 1, then
                the fields of its kind (`headrace.model.executor_step`)
"""

from enum import IntEnum
from itertools import pairwise

import msgspec

from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address, keccak_hex
from headrace.model.executor_step import STEP_KINDS, WORD_BYTES, PlanReader, SwapStep, raw_address, read_step, step_tail

EXECUTE_SELECTOR = bytes.fromhex(keccak_hex(b"execute(bytes)")[2:10])
_AMOUNT_BYTES = 16
_DEADLINE_BYTES = 8
_SHARE_BYTES = 2
_STEPS_MIN = 2


class Funding(IntEnum):
    """Where the first amount comes from."""

    OWN_CAPITAL = 0
    FLASH_SWAP = 1  # the first step's pool pays out before it is paid
    BALANCER_V2_FLASH_LOAN = 2
    UNISWAP_V3_FLASH = 3
    AAVE_V3_FLASH_LOAN = 4
    BALANCER_V3_FLASH_LOAN = 5
    UNISWAP_V4_FLASH_LOAN = 6
    MORPHO_FLASH_LOAN = 7
    ERC3156_FLASH_LOAN = 8

    @property
    def engine(self) -> str:
        """The execution engine's name in reports."""
        return {Funding.OWN_CAPITAL: "own_capital", Funding.FLASH_SWAP: "flash_swap"}.get(self, "flash_loan")

    @property
    def is_loan(self) -> bool:
        """Whether a lender is named."""
        return self > Funding.FLASH_SWAP


class ExecutorPlan(msgspec.Struct, frozen=True):
    """One walk through steps, funded one way. Amounts are in units of the first token, at most 2^128 - 1.

    `tip_share_bps` of the profit goes to the block's builder, out of what lies above the least profit: only where the
    first token is the chain's wrapped native coin, and up to the cap of the Executor's owner.
    """

    funding: Funding
    lender: Address
    amount_in_units: int
    profit_min_units: int
    deadline_block: int
    steps: tuple[SwapStep, ...]
    tip_share_bps: int = 0

    @property
    def tokens(self) -> tuple[Address, ...]:
        """The token table: every token in order of first use; the first is spent and profited in."""
        return tuple(dict.fromkeys(t for s in self.steps for t in (s.token_in, s.token_out)))

    def encode(self) -> bytes:
        """The packed plan.

        Raises:
            OverflowError: an amount, a fee or the deadline does not fit its field.
        """
        tokens = self.tokens
        parts = [
            bytes([self.funding]),
            raw_address(self.lender),
            self.amount_in_units.to_bytes(_AMOUNT_BYTES, "big"),
            self.profit_min_units.to_bytes(_AMOUNT_BYTES, "big"),
            self.deadline_block.to_bytes(_DEADLINE_BYTES, "big"),
            self.tip_share_bps.to_bytes(_SHARE_BYTES, "big"),
            bytes([len(tokens)]),
            *(raw_address(t) for t in tokens),
        ]
        for step in self.steps:
            parts.append(bytes([STEP_KINDS[type(step)], tokens.index(step.token_in), tokens.index(step.token_out)]))
            parts.append(step_tail(step))
        return b"".join(parts)

    def calldata(self) -> bytes:
        """ABI encoding of `execute(bytes)`."""
        plan = self.encode()
        padding = -len(plan) % WORD_BYTES
        return b"".join(
            [
                EXECUTE_SELECTOR,
                WORD_BYTES.to_bytes(WORD_BYTES, "big"),
                len(plan).to_bytes(WORD_BYTES, "big"),
                plan,
                bytes(padding),
            ]
        )


def decode_calldata(calldata: bytes) -> ExecutorPlan:
    """Read a transaction's calldata back.

    Raises:
        PlanDecodeError: it is not exactly what `ExecutorPlan.calldata` makes.
    """
    head = len(EXECUTE_SELECTOR)
    if calldata[:head] != EXECUTE_SELECTOR:
        raise PlanDecodeError(f"the calldata begins with 0x{calldata[:head].hex()}, not with execute(bytes)")
    offset = int.from_bytes(calldata[head : head + WORD_BYTES], "big")
    size = int.from_bytes(calldata[head + WORD_BYTES : head + 2 * WORD_BYTES], "big")
    plan = calldata[head + 2 * WORD_BYTES : head + 2 * WORD_BYTES + size]
    if offset != WORD_BYTES or len(plan) != size:
        raise PlanDecodeError("the calldata is not one bytes argument")
    decoded = decode(plan)
    if decoded.calldata() != calldata:
        raise PlanDecodeError("the calldata has bytes beside the plan")
    return decoded


def decode(plan: bytes) -> ExecutorPlan:
    """Read a packed plan back.

    Raises:
        PlanDecodeError: unknown funding or kind, a cut or overlong field, an index out of range, a walk that is not
            connected, or a token table that is not in order of first use.
    """
    reader = PlanReader(plan)
    try:
        funding = Funding(reader.integer(1))
    except ValueError as error:
        raise PlanDecodeError(f"unknown funding {plan[0]}") from error
    lender = reader.address()
    amount_in, profit_min = reader.integer(_AMOUNT_BYTES), reader.integer(_AMOUNT_BYTES)
    deadline, tip_share = reader.integer(_DEADLINE_BYTES), reader.integer(_SHARE_BYTES)
    tokens = tuple(reader.address() for _ in range(reader.integer(1)))
    steps = []
    while not reader.is_done:
        steps.append(read_step(reader, tokens))
    decoded = ExecutorPlan(funding, lender, amount_in, profit_min, deadline, tuple(steps), tip_share)
    if decoded.encode() != plan:
        raise PlanDecodeError("the token table is not in the order of first use")
    if funding.is_loan == (lender == ZERO_ADDRESS):
        raise PlanDecodeError(f"funding {funding.name} with lender {lender}")
    _check_walk(steps)
    return decoded


def _check_walk(steps: list[SwapStep]) -> None:
    if len(steps) < _STEPS_MIN:
        raise PlanDecodeError(f"{len(steps)} steps; a plan has at least {_STEPS_MIN}")
    for before, after in pairwise(steps):
        if before.token_out != after.token_in:
            raise PlanDecodeError(f"{before.token_out} does not lead to {after.token_in}")
    if any(step.token_in == step.token_out for step in steps):
        raise PlanDecodeError("a step swaps a token for itself")
    if steps[-1].token_out != steps[0].token_in:
        raise PlanDecodeError(f"the walk ends in {steps[-1].token_out}, not where it began")


def _word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")
