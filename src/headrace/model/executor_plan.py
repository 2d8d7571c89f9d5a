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

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

import msgspec

from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.calldata import WORD_BYTES, CalldataReader, bytes_array, padded_bytes, selector, word
from headrace.model.executor_step import STEP_KINDS, PlanReader, SwapStep, raw_address, read_step, step_tail

EXECUTE_SELECTOR = selector("execute(bytes)")
EXECUTE_BATCH_SELECTOR = selector("executeBatch(bytes[])")
_AMOUNT_BYTES = 16
_DEADLINE_BYTES = 8
_SHARE_BYTES = 2
_STEPS_MIN = 2
_HEADER = (
    ("funding", 1),
    ("lender", 20),
    ("amount in", _AMOUNT_BYTES),
    ("least profit", _AMOUNT_BYTES),
    ("deadline block", _DEADLINE_BYTES),
    ("tip", _SHARE_BYTES),
    ("number of tokens", 1),
)
HEADER_BYTES = sum(size for _, size in _HEADER)


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
        return EXECUTE_SELECTOR + word(WORD_BYTES) + padded_bytes(self.encode())


def batch_calldata(plans: Sequence[ExecutorPlan]) -> bytes:
    """ABI encoding of `executeBatch(bytes[])`: each plan under a guard of its own, one that fails undoes itself alone.

    Raises:
        OverflowError: as `ExecutorPlan.encode`.
    """
    return EXECUTE_BATCH_SELECTOR + word(WORD_BYTES) + bytes_array([plan.encode() for plan in plans])


def decode_calldata(calldata: bytes) -> ExecutorPlan:
    """Read a transaction's calldata back.

    Raises:
        PlanDecodeError: it is not exactly what `ExecutorPlan.calldata` makes.
    """
    return decode(packed_plan(calldata))


def decode_batch_calldata(calldata: bytes) -> tuple[ExecutorPlan, ...]:
    """Read a batch's calldata back.

    Raises:
        PlanDecodeError: it is not exactly what `batch_calldata` makes.
    """
    return tuple(decode(plan) for plan in packed_plans(calldata))


def packed_plan(calldata: bytes) -> bytes:
    """The packed plan in a call of `execute(bytes)`, not yet read.

    Raises:
        PlanDecodeError: another call, or not exactly as the ABI encodes this one.
    """
    reader = _arguments(calldata, EXECUTE_SELECTOR, "execute(bytes)")
    reader.offset("plan", WORD_BYTES)
    plan = reader.padded_bytes("plan")
    reader.end()
    return plan


def packed_plans(calldata: bytes) -> tuple[bytes, ...]:
    """The packed plans in a call of `executeBatch(bytes[])`, not yet read; the contract skips those that are malformed.

    Raises:
        PlanDecodeError: another call, or not exactly as the ABI encodes this one.
    """
    reader = _arguments(calldata, EXECUTE_BATCH_SELECTOR, "executeBatch(bytes[])")
    reader.offset("plans", WORD_BYTES)
    plans = reader.bytes_array("plans")
    reader.end()
    return plans


def decode(plan: bytes) -> ExecutorPlan:
    """Read a packed plan back.

    Raises:
        PlanDecodeError: unknown funding or kind, a cut or overlong field, an index out of range, a walk that is not
            connected, or a token table that is not in order of first use.
    """
    _check_header(plan)
    reader = PlanReader(plan)
    try:
        funding = Funding(reader.integer(1))
    except ValueError as error:
        raise PlanDecodeError(f"byte 0 of the plan, funding: unknown funding {plan[0]}") from error
    lender = reader.address()
    amount_in, profit_min = reader.integer(_AMOUNT_BYTES), reader.integer(_AMOUNT_BYTES)
    deadline, tip_share = reader.integer(_DEADLINE_BYTES), reader.integer(_SHARE_BYTES)
    tokens = tuple(reader.address() for _ in range(reader.integer(1)))
    steps = []
    while not reader.is_done:
        steps.append(read_step(reader, tokens))
    decoded = ExecutorPlan(funding, lender, amount_in, profit_min, deadline, tuple(steps), tip_share)
    if decoded.encode() != plan:
        raise PlanDecodeError(f"byte {HEADER_BYTES} of the plan, tokens: they are not in the order of first use")
    if funding.is_loan == (lender == ZERO_ADDRESS):
        raise PlanDecodeError(f"byte 1 of the plan, lender: funding {funding.name} with lender {lender}")
    _check_walk(steps)
    return decoded


def _check_header(plan: bytes) -> None:
    if len(plan) >= HEADER_BYTES:
        return
    end = 0
    for name, size in _HEADER:
        begin, end = end, end + size
        if end > len(plan):
            why = f"the plan ends after {len(plan)} bytes"
            raise PlanDecodeError(f"byte {begin} of the plan, {name}: {why}, before or inside this field")


def _check_walk(steps: list[SwapStep]) -> None:
    if len(steps) < _STEPS_MIN:
        raise PlanDecodeError(f"the plan has {len(steps)} steps; at least {_STEPS_MIN} are needed")
    for i, (before, after) in enumerate(pairwise(steps)):
        if before.token_out != after.token_in:
            raise PlanDecodeError(f"step {i + 1}: {before.token_out} does not lead to {after.token_in}")
    for i, step in enumerate(steps):
        if step.token_in == step.token_out:
            raise PlanDecodeError(f"step {i}: it swaps a token for itself")
    if steps[-1].token_out != steps[0].token_in:
        raise PlanDecodeError(f"step {len(steps) - 1}: the walk ends in {steps[-1].token_out}, not where it began")


def _arguments(calldata: bytes, wanted: bytes, signature: str) -> CalldataReader:
    if calldata[: len(wanted)] != wanted:
        head = calldata[: len(wanted)].hex()
        raise PlanDecodeError(f"the calldata begins with 0x{head}, not with {signature}")
    return CalldataReader(calldata)
