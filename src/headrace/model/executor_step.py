"""The steps of an Executor's plan: one swap each, as a type for every protocol family, and their packed fields.

After the common prefix (kind 1, token in 1, token out 1) follow, big-endian:

    1 Uniswap v2   fee in pips 3, pair 20                              2 Uniswap v3   pool 20
    3 Balancer v2  vault 20, pool id 32                                6 Balancer v3  vault 20, pool 20
    4 Uniswap v4   manager 20, fee in pips 3, tick spacing 3, hooks 20 7 Solidly      pair 20
    5 Curve        pool 20, call 1, index in 1, index out 1
"""

from collections.abc import Callable
from enum import IntEnum
from typing import get_args

import msgspec

from headrace.errors import PlanDecodeError
from headrace.model.address import Address, PoolId, keccak_hex

WORD_BYTES = 32
_ADDRESS_BYTES = 20
_CURVE_CALL_BYTES = 3  # call, index in, index out


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


class UniswapV4Step(msgspec.Struct, frozen=True, tag="uniswap_v4"):
    """A swap by a v4 pool, named by its key beside the two tokens; it must take its whole input."""

    token_in: Address
    token_out: Address
    manager: Address
    fee_pips: int
    tick_spacing: int
    hooks: Address

    @property
    def pool_id(self) -> PoolId:
        """keccak256 of the ABI encoding of the pool's key (v4-core, types/PoolId.sol)."""
        low, high = sorted((self.token_in, self.token_out))
        words = (int(low, 16), int(high, 16), self.fee_pips, self.tick_spacing, int(self.hooks, 16))
        return PoolId(keccak_hex(b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)))


class CurveCall(IntEnum):
    """Which of a Curve pool's functions swaps: they differ in the width of their indices and in what these count."""

    EXCHANGE_INT128 = 0
    EXCHANGE_UINT256 = 1
    EXCHANGE_UNDERLYING = 2


class CurveStep(msgspec.Struct, frozen=True, tag="curve"):
    """A swap by a StableSwap or CryptoSwap pool."""

    token_in: Address
    token_out: Address
    pool: Address
    call: CurveCall
    index_in: int
    index_out: int


class BalancerV3Step(msgspec.Struct, frozen=True, tag="balancer_v3"):
    """A swap given in through the vault of Balancer v3."""

    token_in: Address
    token_out: Address
    vault: Address
    pool: Address


class SolidlyStep(msgspec.Struct, frozen=True, tag="solidly"):
    """A swap by a Solidly pair, volatile or stable; the contract asks the pair for the output."""

    token_in: Address
    token_out: Address
    pair: Address


SwapStep = UniswapV2Step | UniswapV3Step | BalancerV2Step | UniswapV4Step | CurveStep | BalancerV3Step | SolidlyStep
STEP_KINDS: dict[type, int] = {
    UniswapV2Step: 1,
    UniswapV3Step: 2,
    BalancerV2Step: 3,
    UniswapV4Step: 4,
    CurveStep: 5,
    BalancerV3Step: 6,
    SolidlyStep: 7,
}
# A protocol's id begins with its step's tag: "balancer_v2" and "balancer_v2_stable" share a step.
STEP_TAGS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(SwapStep)}


class PlanReader:
    """Takes fields off a packed plan, front to back."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data = data
        self._at = 0

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._at

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            PlanDecodeError: the plan ends before.
        """
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise PlanDecodeError(f"byte {self._at} of the plan: it ends after {len(self._data)} bytes, inside a field")
        self._at += size
        return part

    def integer(self, size: int) -> int:
        """The next `size` bytes as an unsigned number.

        Raises:
            PlanDecodeError: the plan ends before.
        """
        return int.from_bytes(self.take(size), "big")

    def address(self) -> Address:
        """The next 20 bytes.

        Raises:
            PlanDecodeError: the plan ends before.
        """
        return Address("0x" + self.take(_ADDRESS_BYTES).hex())


def read_step(reader: PlanReader, tokens: tuple[Address, ...]) -> SwapStep:
    """The next step, its tokens taken from the plan's table.

    Raises:
        PlanDecodeError: an unknown kind or call, an index beyond the table, a cut field.
    """
    begin = reader.position
    kind, index_in, index_out = reader.take(3)
    if max(index_in, index_out) >= len(tokens):
        at = begin + 1 + (index_in < len(tokens))
        raise PlanDecodeError(f"byte {at} of the plan: token index {max(index_in, index_out)} of {len(tokens)}")
    read = _TAIL_READERS.get(kind)
    if read is None:
        raise PlanDecodeError(f"byte {begin} of the plan: unknown step kind {kind}")
    return read(reader, tokens[index_in], tokens[index_out])


def _read_uniswap_v2(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    fee_pips = reader.integer(3)
    return UniswapV2Step(token_in, token_out, reader.address(), fee_pips)


def _read_uniswap_v3(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    return UniswapV3Step(token_in, token_out, reader.address())


def _read_balancer_v2(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    return BalancerV2Step(token_in, token_out, reader.address(), PoolId("0x" + reader.take(WORD_BYTES).hex()))


def _read_uniswap_v4(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    manager, fee_pips, tick_spacing = reader.address(), reader.integer(3), reader.integer(3)
    return UniswapV4Step(token_in, token_out, manager, fee_pips, tick_spacing, reader.address())


def _read_curve(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    pool, call, index_in, index_out = reader.address(), *reader.take(_CURVE_CALL_BYTES)
    if call not in CurveCall.__members__.values():
        at = reader.position - _CURVE_CALL_BYTES
        raise PlanDecodeError(f"byte {at} of the plan: unknown call {call} of a Curve pool")
    return CurveStep(token_in, token_out, pool, CurveCall(call), index_in, index_out)


def _read_balancer_v3(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    vault = reader.address()
    return BalancerV3Step(token_in, token_out, vault, reader.address())


def _read_solidly(reader: PlanReader, token_in: Address, token_out: Address) -> SwapStep:
    return SolidlyStep(token_in, token_out, reader.address())


_TAIL_READERS: dict[int, Callable[[PlanReader, Address, Address], SwapStep]] = {
    STEP_KINDS[UniswapV2Step]: _read_uniswap_v2,
    STEP_KINDS[UniswapV3Step]: _read_uniswap_v3,
    STEP_KINDS[BalancerV2Step]: _read_balancer_v2,
    STEP_KINDS[UniswapV4Step]: _read_uniswap_v4,
    STEP_KINDS[CurveStep]: _read_curve,
    STEP_KINDS[BalancerV3Step]: _read_balancer_v3,
    STEP_KINDS[SolidlyStep]: _read_solidly,
}


def step_tail(step: SwapStep) -> bytes:
    """What follows the prefix.

    Raises:
        OverflowError: a fee, a tick spacing or an index does not fit its field.
    """
    return b"".join(_fields(step))


def _fields(step: SwapStep) -> tuple[bytes, ...]:
    fields: tuple[bytes, ...]
    match step:
        case UniswapV2Step():
            fields = (step.fee_pips.to_bytes(3, "big"), raw_address(step.pair))
        case UniswapV3Step():
            fields = (raw_address(step.pool),)
        case BalancerV2Step():
            fields = (raw_address(step.vault), bytes.fromhex(step.pool_id[2:]))
        case UniswapV4Step():
            terms = step.fee_pips.to_bytes(3, "big") + step.tick_spacing.to_bytes(3, "big")
            fields = (raw_address(step.manager), terms, raw_address(step.hooks))
        case CurveStep():
            indices = step.index_in.to_bytes(1, "big") + step.index_out.to_bytes(1, "big")
            fields = (raw_address(step.pool), step.call.to_bytes(1, "big"), indices)
        case BalancerV3Step():
            fields = (raw_address(step.vault), raw_address(step.pool))
        case SolidlyStep():
            fields = (raw_address(step.pair),)
    return fields


def raw_address(address: Address) -> bytes:
    """Its 20 bytes."""
    return bytes.fromhex(address[2:])
