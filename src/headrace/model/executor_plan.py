"""The Executor's plan: what one atomic transaction does, and its packed big-endian wire format.

`encode` and `decode` are each other's inverse; `decode` refuses every byte string that `encode` could not have made.
The format is specified in contracts/README.md; the contract's own reader is contracts/src/libraries/PlanReader.sol.

    offset size field
    0      1    funding
    1      20   lender, zero for own capital and flash swaps
    21     16   amount in, of tokens[0]
    37     16   least profit, of tokens[0]
    53     8    deadline block
    61     1    number of tokens n
    62     20n  tokens
    ...         steps to the end: kind 1, token in 1, token out 1, then
                v2: fee in pips 3, pair 20 · v3: pool 20 · Balancer v2: vault 20, pool id 32
"""

from enum import IntEnum
from itertools import pairwise

import msgspec

from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address, PoolId, keccak_hex

EXECUTE_SELECTOR = bytes.fromhex(keccak_hex(b"execute(bytes)")[2:10])
_WORD = 32
_AMOUNT_BYTES = 16
_DEADLINE_BYTES = 8
_ADDRESS_BYTES = 20
_STEPS_MIN = 2


class Funding(IntEnum):
    """Where the first amount comes from."""

    OWN_CAPITAL = 0
    FLASH_SWAP = 1  # the first step's pool pays out before it is paid
    BALANCER_V2_FLASH_LOAN = 2
    UNISWAP_V3_FLASH = 3
    AAVE_V3_FLASH_LOAN = 4

    @property
    def engine(self) -> str:
        """The execution engine's name in reports."""
        return {Funding.OWN_CAPITAL: "own_capital", Funding.FLASH_SWAP: "flash_swap"}.get(self, "flash_loan")

    @property
    def is_loan(self) -> bool:
        """Whether a lender is named."""
        return self > Funding.FLASH_SWAP


class UniswapV2Step(msgspec.Struct, frozen=True, tag="uniswap_v2"):
    """A swap by a v2 pair; the contract computes the output from the reserves at `fee_pips`."""

    token_in: Address
    token_out: Address
    pair: Address
    fee_pips: int


class UniswapV3Step(msgspec.Struct, frozen=True, tag="uniswap_v3"):
    """A swap by a v3 pool that must take its whole input."""

    token_in: Address
    token_out: Address
    pool: Address


class BalancerV2Step(msgspec.Struct, frozen=True, tag="balancer_v2"):
    """A swap given in through the vault."""

    token_in: Address
    token_out: Address
    vault: Address
    pool_id: PoolId


SwapStep = UniswapV2Step | UniswapV3Step | BalancerV2Step
_KINDS: dict[type, int] = {UniswapV2Step: 1, UniswapV3Step: 2, BalancerV2Step: 3}


class ExecutorPlan(msgspec.Struct, frozen=True):
    """One walk through steps, funded one way. Amounts are in units of the first token, at most 2^128 - 1."""

    funding: Funding
    lender: Address
    amount_in_units: int
    profit_min_units: int
    deadline_block: int
    steps: tuple[SwapStep, ...]

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
            _raw(self.lender),
            self.amount_in_units.to_bytes(_AMOUNT_BYTES, "big"),
            self.profit_min_units.to_bytes(_AMOUNT_BYTES, "big"),
            self.deadline_block.to_bytes(_DEADLINE_BYTES, "big"),
            bytes([len(tokens)]),
            *(_raw(t) for t in tokens),
        ]
        for step in self.steps:
            parts.append(bytes([_KINDS[type(step)], tokens.index(step.token_in), tokens.index(step.token_out)]))
            parts.append(_step_tail(step))
        return b"".join(parts)

    def calldata(self) -> bytes:
        """ABI encoding of `execute(bytes)`."""
        plan = self.encode()
        padding = -len(plan) % _WORD
        return b"".join(
            [EXECUTE_SELECTOR, _WORD.to_bytes(_WORD, "big"), len(plan).to_bytes(_WORD, "big"), plan, bytes(padding)]
        )


def decode_calldata(calldata: bytes) -> ExecutorPlan:
    """Read a transaction's calldata back.

    Raises:
        PlanDecodeError: it is not exactly what `ExecutorPlan.calldata` makes.
    """
    head = len(EXECUTE_SELECTOR)
    if calldata[:head] != EXECUTE_SELECTOR:
        raise PlanDecodeError(f"the calldata begins with 0x{calldata[:head].hex()}, not with execute(bytes)")
    offset = int.from_bytes(calldata[head : head + _WORD], "big")
    size = int.from_bytes(calldata[head + _WORD : head + 2 * _WORD], "big")
    plan = calldata[head + 2 * _WORD : head + 2 * _WORD + size]
    if offset != _WORD or len(plan) != size:
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
    reader = _Reader(plan)
    try:
        funding = Funding(reader.integer(1))
    except ValueError as error:
        raise PlanDecodeError(f"unknown funding {plan[0]}") from error
    lender = reader.address()
    amount_in, profit_min = reader.integer(_AMOUNT_BYTES), reader.integer(_AMOUNT_BYTES)
    deadline = reader.integer(_DEADLINE_BYTES)
    tokens = tuple(reader.address() for _ in range(reader.integer(1)))
    steps = []
    while not reader.is_done:
        steps.append(_read_step(reader, tokens))
    decoded = ExecutorPlan(funding, lender, amount_in, profit_min, deadline, tuple(steps))
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


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise PlanDecodeError(f"the plan ends after {len(self._data)} bytes, inside a field")
        self._at += size
        return part

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def address(self) -> Address:
        return Address("0x" + self.take(_ADDRESS_BYTES).hex())


def _read_step(reader: _Reader, tokens: tuple[Address, ...]) -> SwapStep:
    kind, index_in, index_out = reader.take(3)
    if max(index_in, index_out) >= len(tokens):
        raise PlanDecodeError(f"token index {max(index_in, index_out)} of {len(tokens)}")
    token_in, token_out = tokens[index_in], tokens[index_out]
    if kind == _KINDS[UniswapV2Step]:
        fee_pips = reader.integer(3)
        return UniswapV2Step(token_in, token_out, reader.address(), fee_pips)
    if kind == _KINDS[UniswapV3Step]:
        return UniswapV3Step(token_in, token_out, reader.address())
    if kind == _KINDS[BalancerV2Step]:
        return BalancerV2Step(token_in, token_out, reader.address(), PoolId("0x" + reader.take(_WORD).hex()))
    raise PlanDecodeError(f"unknown step kind {kind}")


def _step_tail(step: SwapStep) -> bytes:
    if isinstance(step, UniswapV2Step):
        return step.fee_pips.to_bytes(3, "big") + _raw(step.pair)
    if isinstance(step, UniswapV3Step):
        return _raw(step.pool)
    return _raw(step.vault) + bytes.fromhex(step.pool_id[2:])


def _raw(address: Address) -> bytes:
    return bytes.fromhex(address[2:])
