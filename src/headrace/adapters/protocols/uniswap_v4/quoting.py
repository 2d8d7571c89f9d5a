"""Exact quotes: v3's arithmetic at the fee of the direction, within what v4's signed 128-bit amounts hold.

Per step v4 takes and pays the same as v3; where it books the fee differs, and no amount depends on that. What differs
for a swap as a whole:

- Amounts are booked as int128. A larger one reverts, be it taken or paid. An input of exactly 2^127 would pass inside
  the pool, but cannot be settled in one payment; it is refused.
- A fee of 100 % is allowed. Such a pool takes any input on the first piece that holds liquidity, and pays nothing.

Source: Uniswap v4 core 1.0.2, Pool.swap, SwapMath.sol, PoolManager._settle.
"""

import msgspec
import numpy as np

from headrace.adapters.protocols.tick_pools import TickGas
from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.adapters.protocols.uniswap_v3.refusing import limit_refusal
from headrace.adapters.protocols.uniswap_v4.state import UniswapV4State
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels.shape import TickSegments
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_segments import Fill, fill, input_for
from headrace.kernels.tick_shape import tick_segments
from headrace.kernels.tick_walk import extreme_limit, walk
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.limited_swap import FilledSwap, LimitedSwap

AMOUNT_MAX = 2**127 - 1  # int128

GAS_SWAP = 42_000  # inside one range, by V4Quoter on pools in use: 37,000 in the median of 2,147, 54,000 in every tenth
GAS_SETTLEMENT = 55_000  # unlock, two transfers, the books: v4-core's "simple swap" transaction less 21,000 and a swap
_GAS = TickGas(
    base=GAS_SWAP + GAS_SETTLEMENT,
    per_crossed_tick=30_000,  # of a tick crossed for the first time, which fills empty storage; later ones cost less
    per_word=5_300,
)


def quote_out(state: UniswapV4State, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What the pool pays for exactly `amount_in`; 0 is possible for a few units.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, one over 127 bits, or the liquidity ends before it
            is taken.
    """
    del at  # a quote depends on no time
    done = _fill(state, amount_in, zero_for_one=is_zero_for_one(state.pool, token_in, token_out))
    if done is None:
        raise UnquotableError(state.pool.id, f"it would not take {amount_in} of {token_in} as a whole")
    _require_payable(state, done)
    return done.amount_out


def quote_in(state: UniswapV4State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """The least input whose `quote_out` reaches `amount_out`; the pool's own exact-output swap may ask for more.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, or no input buys it.
    """
    del at  # a quote depends on no time
    down = is_zero_for_one(state.pool, token_in, token_out)
    table = state.table_for(zero_for_one=down)
    least = None
    if table.fee_pips < FEE_DENOMINATOR:
        least = input_for(table, state.point, amount_out, zero_for_one=down)
    done = None if least is None else _fill(state, least, zero_for_one=down)
    if least is None or done is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out} of {token_out}")
    _require_payable(state, done)
    return least


def filled(state: UniswapV4State, swap: LimitedSwap) -> FilledSwap:
    """What the manager's `swap` takes and pays up to its price limit.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, a limit that the price has passed or that is out of
            bounds, an amount taken or paid over 127 bits, an exact output where the fee is all there is.
    """
    down = is_zero_for_one(state.pool, swap.token_in, swap.token_out)
    table = state.table_for(zero_for_one=down)
    if swap.is_exact_output and table.fee_pips >= FEE_DENOMINATOR:
        raise UnquotableError(state.pool.id, "the fee is all there is (InvalidFeeForExactOut)")
    signed = -swap.amount if swap.is_exact_output else swap.amount
    done = walk(table, state.point, signed, swap.price_limit_x96, zero_for_one=down)
    if swap.amount <= 0 or done is None:
        raise UnquotableError(state.pool.id, limit_refusal(state.point, swap))
    _require_payable(state, Fill(done.amount_out, done.point.tick))
    if done.amount_in > AMOUNT_MAX:
        raise UnquotableError(state.pool.id, f"it would take {done.amount_in}, which no signed 128 bits hold")
    return FilledSwap(done.amount_in, done.amount_out)


def asked_in(state: UniswapV4State, token_in: Address, token_out: Address, amount_out: int) -> int:
    """What the manager's exact-output swap takes for `amount_out`.

    Raises:
        UnquotableError: as `filled`, or the liquidity does not hold it.
    """
    limit = extreme_limit(zero_for_one=is_zero_for_one(state.pool, token_in, token_out))
    done = filled(state, LimitedSwap(token_in, token_out, amount_out, limit, is_exact_output=True))
    if done.amount_out != amount_out:
        raise UnquotableError(state.pool.id, f"it would not give {amount_out} of {token_out} as a whole")
    return done.amount_in


def shape(state: UniswapV4State, token_in: Address, token_out: Address) -> TickSegments:
    """Rows from the current price to the last tick; none where the fee is all there is."""
    down = is_zero_for_one(state.pool, token_in, token_out)
    table = state.table_for(zero_for_one=down)
    if table.fee_pips >= FEE_DENOMINATOR:
        return TickSegments(np.empty((0, 4)), 0.0, 0.0)
    made = tick_segments(table, state.point, zero_for_one=down)
    return msgspec.structs.replace(made, input_max=min(made.input_max, float(AMOUNT_MAX)))


def gas(state: UniswapV4State, token_in: Address, token_out: Address, amount_in: int) -> int:
    """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
    down = is_zero_for_one(state.pool, token_in, token_out)
    done = _fill(state, amount_in, zero_for_one=down)
    return _GAS.of(state.table_for(zero_for_one=down), state.point, done, zero_for_one=down)


def _require_payable(state: UniswapV4State, done: Fill) -> None:
    if not state.table.coverage.holds(done.tick_reached):
        raise UnansweredError(state.pool.id, "it would leave the ticks that are known")
    if done.amount_out > AMOUNT_MAX:
        raise UnquotableError(state.pool.id, f"it would pay {done.amount_out}, which no signed 128 bits hold")


def _fill(state: UniswapV4State, amount_in: int, *, zero_for_one: bool) -> Fill | None:
    table, point = state.table_for(zero_for_one=zero_for_one), state.point
    if not 0 < amount_in <= AMOUNT_MAX:
        return None
    if table.fee_pips < FEE_DENOMINATOR:
        return fill(table, point, amount_in, zero_for_one=zero_for_one)
    reached = fill(table.with_fee(0), point, 1, zero_for_one=zero_for_one)  # the piece that would take anything at all
    return None if reached is None else Fill(0, reached.tick_reached)
