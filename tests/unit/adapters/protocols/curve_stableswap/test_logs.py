"""Folding logs: what they tell exactly is kept, what they do not tell makes the state doubtful, the rest is refused.

Oracle: worked out by hand from the published order of the fees; swaps folded against Solidity are in conformance.
"""

import msgspec
import pytest
from tests.unit.adapters.protocols.curve_stableswap import pools

from headrace.adapters.protocols.curve_stableswap.logs import ADD, EXCHANGE, EXCHANGE_UNDERLYING, RAMP, apply
from headrace.adapters.protocols.curve_stableswap.quoting import is_outdated, quote_out
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, Ramp
from headrace.adapters.protocols.words import topic
from headrace.errors import MalformedLogError, UnquotableError
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION, invariant, prepared, swap
from headrace.kernels.stableswap_liquidity import common_units
from headrace.model.address import Hash32
from headrace.model.event import Log

BUYER = Hash32("0x" + "00" * 12 + "be" * 20)
ZERO = Hash32("0x" + "00" * 32)


def log(state: CurveStableswapState, name: Hash32, *values: int, indexed: bool = True) -> Log:
    data = "0x" + "".join(f"{value:064x}" for value in values)
    return Log(state.pool.address, (name, BUYER) if indexed else (name,), data, ZERO, 1, ZERO, 0)


def swapped(state: CurveStableswapState, i: int, j: int, amount: int) -> Log:
    out = quote_out(state, state.terms.coins[i], state.terms.coins[j], amount, pools.AT)
    return log(state, EXCHANGE, i, amount, j, out)


def test_a_swap_of_a_pool_that_holds_nothing_back_leaves_what_the_curve_says() -> None:
    state, amount = pools.bare(), 10**22
    pool = prepared(state.curve(pools.TIME), common_units(state.balances, state.rates), state.stable_fee)
    done = swap(pool, 0, 1, amount, held_back=0)
    kept = done.fee - done.fee * state.admin_fee // FEE_DENOMINATOR
    after = apply(state, swapped(state, 0, 1, amount))
    assert after.balances == (state.balances[0] + amount, (done.balance_out + kept) * PRECISION // state.rates[1])
    assert not after.is_doubtful


def test_a_swap_that_pays_other_than_computed_makes_the_state_doubtful_and_unquotable() -> None:
    state = pools.plain()
    told = swapped(state, 0, 1, 10**22)
    off = msgspec.structs.replace(told, data=told.data[:-1] + f"{(int(told.data[-1], 16) + 1) % 16:x}")
    after = apply(state, off)
    assert after.is_doubtful
    assert is_outdated(after, 0)
    with pytest.raises(UnquotableError, match="read again"):
        quote_out(after, after.pool.tokens[0], after.pool.tokens[1], 10**20, pools.AT)
    assert apply(after, told) == after
    assert apply(state, log(state, EXCHANGE_UNDERLYING, 0, 5, 1, 4)).is_doubtful
    assert apply(state, log(state, EXCHANGE, 0, 1 << 255, 1, 4)).is_doubtful


def test_a_deposit_whose_invariant_is_ours_is_folded_and_any_other_is_not() -> None:
    state = pools.plain()
    name = next(one for one, count in ADD.items() if count == 3)
    amounts, fees = (10**22, 0, 5 * 10**9), (10**18, 10**6, 10**5)
    grown = tuple(b + a for b, a in zip(state.balances, amounts, strict=True))
    told = invariant(state.curve(pools.TIME), common_units(grown, state.rates))
    after = apply(state, log(state, name, *amounts, *fees, told, 1))
    assert after.balances == tuple(g - fee // 2 for g, fee in zip(grown, fees, strict=True))
    assert apply(state, log(state, name, *amounts, *fees, told + 1, 1)).is_doubtful
    drained = msgspec.structs.replace(state, balances=(0, 0, 0))
    assert apply(drained, log(state, name, 10**22, 0, 0, *fees, told, 1)).is_doubtful


def test_parameters_that_are_set_at_once_are_folded_and_those_that_move_are_not() -> None:
    state = pools.bare()
    after = apply(state, log(state, topic("NewParameters(uint256,uint256,uint256)"), 90, 5, 6, indexed=False))
    assert (after.ramp, after.fee, after.admin_fee) == (Ramp(90, 90, 0, 0), 5, 6)
    assert apply(state, log(state, RAMP, 1, 2, 3, 4, indexed=False)).is_doubtful
    assert apply(state, log(state, topic("NewFee(uint256,uint256,uint256)"), 1, 2, 3, indexed=False)).is_doubtful


def test_any_log_of_a_pool_that_is_read_at_each_block_makes_it_doubtful() -> None:
    state = pools.rated()
    name = topic("RemoveLiquidity(address,uint256[],uint256[],uint256)")
    assert apply(state, log(state, name, 96, 192, 7, 2, 1, 2, 2, 0, 0)).is_doubtful
    one = topic("RemoveLiquidityOne(address,int128,uint256,uint256,uint256)")
    assert apply(state, log(state, one, 1, 2, 3, 4)).is_doubtful
    base = pools.meta(pools.plain())
    assert base.base is not None
    doubtful = msgspec.structs.replace(base, base=msgspec.structs.replace(base.base, is_doubtful=True))
    assert is_outdated(doubtful, 0)
    assert not is_outdated(base, pools.NUMBER)


def test_logs_that_no_such_pool_emits_are_refused() -> None:
    state = pools.plain()
    two = next(one for one, count in ADD.items() if count == 2)
    remove = topic("RemoveLiquidity(address,uint256[3],uint256[3],uint256)")
    fee = topic("NewFee(uint256,uint256)")
    for bad, field in (
        (log(state, two, 1, 2, 3, 4, 5, 6), "coins"),
        (log(state, remove, 10**30, 0, 0, 0, 0, 0, 1), "balances"),
        (log(state, fee, FEE_DENOMINATOR, 1, indexed=False), "fee"),
        (log(state, fee, 1, 1), "topics"),
        (log(state, EXCHANGE, 0, 1, 3, 1), "coins"),
        (log(state, EXCHANGE, 1, 1, 1, 1), "coins"),
        (log(state, EXCHANGE, (1 << 256) - 1, 1, 1, 1), "coins"),
        (log(state, EXCHANGE, 0, 1, 1), "data"),
    ):
        with pytest.raises(MalformedLogError) as caught:
            apply(state, bad)
        assert caught.value.field == field
