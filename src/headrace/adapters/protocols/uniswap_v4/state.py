"""What a pool's next quote depends on: its key, where its price stands, where its liquidity lies, the protocol's fee.

The protocol takes its share of the input first and may take another one in each direction. So the state holds the ticks
once, at the providers' fee, and quotes use them at the whole fee of the direction.

Fees earned and donated are left out: no quote depends on them.
"""

from typing import NamedTuple

import msgspec

from headrace.adapters.protocols.uniswap_v4.key import PoolKey, tradable
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_flaws import Flaw, state_flaw
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("uniswap_v4")
PROTOCOL_FEE_MAX = 1_000  # pips
_FEE_BITS = 12
_FEE_MASK = (1 << _FEE_BITS) - 1
_PAIR = 2


class ProtocolFee(NamedTuple):
    """The protocol's share of the input in each direction, in pips."""

    zero_for_one: int
    one_for_zero: int


class UniswapV4State(msgspec.Struct, frozen=True):
    """A pool after some block.

    Attributes:
        hooks: the hook contract of the pool's key, or the zero address.
        protocol_fee: beside the providers' fee, which is the pool's constant.
        point: where the price stands; zeros before the pool has one.
        table: the ticks, at the providers' fee.
    """

    pool: Pool
    hooks: Address
    protocol_fee: ProtocolFee
    point: PricePoint
    table: TickTable

    @property
    def key(self) -> PoolKey:
        """What the pool's id is the hash of."""
        currency0, currency1 = self.pool.tokens
        return PoolKey(currency0, currency1, self.pool.fee_pips, self.table.tick_spacing, self.hooks)

    def fee_pips(self, *, zero_for_one: bool) -> int:
        """The whole fee of one direction."""
        share = self.protocol_fee.zero_for_one if zero_for_one else self.protocol_fee.one_for_zero
        return swap_fee_pips_up(share, self.pool.fee_pips)

    def table_for(self, *, zero_for_one: bool) -> TickTable:
        """The ticks, at the whole fee of one direction."""
        return self.table.with_fee(self.fee_pips(zero_for_one=zero_for_one))


def unpacked_fee(packed: int) -> ProtocolFee:
    """Two fees out of 24 bits: zero for one in the low 12."""
    return ProtocolFee(packed & _FEE_MASK, packed >> _FEE_BITS)


def protocol_fee_flaw(fee: ProtocolFee) -> Flaw | None:
    """Why the manager cannot have set this protocol fee, or None."""
    if not 0 <= min(fee) <= max(fee) <= PROTOCOL_FEE_MAX:
        return Flaw(
            "protocol_fee", f"{fee.zero_for_one} and {fee.one_for_zero} are not in [0, {PROTOCOL_FEE_MAX}] pips"
        )
    return None


def swap_fee_pips_up(protocol_fee_pips: int, lp_fee_pips: int) -> int:
    """The whole fee of a swap in pips, rounded up (ProtocolFeeLibrary.calculateSwapFee).

    The protocol's share is taken first, the providers' from what remains; the product is rounded down, so the sum is
    rounded up. At most 1,000,000, which leaves nothing.
    """
    return protocol_fee_pips + lp_fee_pips - protocol_fee_pips * lp_fee_pips // FEE_DENOMINATOR


def checked_state(state: UniswapV4State) -> UniswapV4State:
    """The state itself, if a pool that this protocol quotes could be in it.

    Raises:
        MalformedPoolError: its parts are not the key of its id, the key is refused, or fee, point and ticks cannot be
            those of one pool.
    """
    pool = state.pool
    if len(pool.tokens) != _PAIR:
        raise MalformedPoolError(pool.id, "tokens", "they are not two")
    tradable(pool.id, state.key)
    flaw = protocol_fee_flaw(state.protocol_fee) or state_flaw(state.point, state.table)
    if flaw is not None:
        raise MalformedPoolError(pool.id, flaw.field, flaw.why)
    return state
