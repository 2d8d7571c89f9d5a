"""What a pool's next quote depends on: its key, where its price stands, where its liquidity lies, the protocol's fee.

The protocol takes its share of the input first and may take another one in each direction, so there is a tick table
for each direction. They hold the same ticks, and they are one object while the two fees are the same.

Fees earned and donated are left out: no quote depends on them.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from headrace.adapters.protocols.uniswap_v4.key import PoolKey
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_flaws import Flaw, state_flaw
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("uniswap_v4")
PROTOCOL_FEE_MAX = 1_000  # pips
_FEE_BITS = 12
_FEE_MASK = (1 << _FEE_BITS) - 1


class ProtocolFee(NamedTuple):
    """The protocol's share of the input in each direction, in pips."""

    zero_for_one: int
    one_for_zero: int


class Tables(NamedTuple):
    """The pool's ticks with the fee of each direction; one object twice where that is the same."""

    down: TickTable
    up: TickTable


class UniswapV4State(msgspec.Struct, frozen=True):
    """A pool after some block."""

    pool: Pool
    key: PoolKey
    protocol_fee: ProtocolFee
    point: PricePoint
    tables: Tables

    def table(self, *, zero_for_one: bool) -> TickTable:
        """The ticks, with the fee of one direction."""
        return self.tables.down if zero_for_one else self.tables.up


def unpacked_fee(packed: int) -> ProtocolFee:
    """Two fees out of 24 bits: zero for one in the low 12."""
    return ProtocolFee(packed & _FEE_MASK, packed >> _FEE_BITS)


def protocol_fee_flaw(packed: int) -> Flaw | None:
    """Why the manager cannot have set this protocol fee, or None."""
    if packed >> 2 * _FEE_BITS or max(unpacked_fee(packed)) > PROTOCOL_FEE_MAX:
        return Flaw("protocol_fee", f"{packed:#x} is not two fees of at most {PROTOCOL_FEE_MAX} pips")
    return None


def swap_fee_pips_up(protocol_fee_pips: int, lp_fee_pips: int) -> int:
    """The whole fee of a swap in pips, rounded up (ProtocolFeeLibrary.calculateSwapFee).

    The protocol's share is taken first, the providers' from what remains; the product is rounded down, so the sum is
    rounded up. At most 1,000,000, which leaves nothing.
    """
    return protocol_fee_pips + lp_fee_pips - protocol_fee_pips * lp_fee_pips // FEE_DENOMINATOR


def state_of(
    pool: Pool, key: PoolKey, fee: ProtocolFee, point: PricePoint, ticks: Mapping[int, TickLiquidity]
) -> UniswapV4State:
    """The state with these ticks.

    Raises:
        MalformedPoolError: no pool of this key can stand there.
    """
    table = TickTable(key.fee_pips, key.tick_spacing, ticks)
    flaw = state_flaw(point, table)
    if flaw is not None:
        raise MalformedPoolError(pool.id, flaw.field, flaw.why)
    return UniswapV4State(pool, key, fee, point, tables_at(table, fee, key.fee_pips))


def tables_at(ticks: TickTable, fee: ProtocolFee, lp_fee_pips: int) -> Tables:
    """The same ticks with the fees of both directions."""
    down = ticks.with_fee(swap_fee_pips_up(fee.zero_for_one, lp_fee_pips))
    return Tables(down, down.with_fee(swap_fee_pips_up(fee.one_for_zero, lp_fee_pips)))
