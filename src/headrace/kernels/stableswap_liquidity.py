"""StableSwap liquidity in integers: pool tokens for one coin, one coin for pool tokens, and the tokens' price.

Swaps between a metapool's coin and a base pool's coin pass through these. A deposit or withdrawal that leaves the
pool's proportions pays n / (4 (n - 1)) of the swap fee on the part that does; where the fee grows off the peg, it does
so coin by coin. The contracts' own estimate (`tokens_estimated`) leaves the fee out; what `add_liquidity` mints does
not.

Error. None; `ArithmeticError` stands where the contracts revert, as in `stableswap`.

Source: the behaviour of `add_liquidity`, `calc_token_amount` and `calc_withdraw_one_coin` of the contracts that Curve
published; recorded answers of 3pool's and, through RAI's metapool, of its withdrawals are in tests/golden.
"""

from collections.abc import Sequence

import msgspec

from headrace.kernels.stableswap import (
    FEE_DENOMINATOR,
    PRECISION,
    StableCurve,
    StableFee,
    balance_on_curve,
    difference,
    fee_rate,
    invariant,
    word,
)


class LiquidityPool(msgspec.Struct, frozen=True):
    """`balances` in raw units, `rates` bring them to the common unit (times 1e18), `supply` of the pool's token."""

    curve: StableCurve
    balances: tuple[int, ...]
    rates: tuple[int, ...]
    fee: StableFee
    supply: int


def common_units(balances: Sequence[int], rates: Sequence[int]) -> tuple[int, ...]:
    """Balances in the common unit, each rounded down.

    Raises:
        OverflowError: a product leaves 256 bits.
    """
    return tuple(word(balance * rate) // PRECISION for balance, rate in zip(balances, rates, strict=True))


def token_price(pool: LiquidityPool) -> int:
    """The contracts' virtual price: D per pool token, times 1e18, rounded down.

    Raises:
        ArithmeticError: the contract would revert.
    """
    return word(_invariant(pool, pool.balances) * PRECISION) // pool.supply


def tokens_estimated(pool: LiquidityPool, index: int, amount: int, *, is_deposit: bool) -> int:
    """`calc_token_amount` of one coin in pools before NG: without the fee.

    Raises:
        ArithmeticError: the contract would revert.
    """
    before = _invariant(pool, pool.balances)
    if is_deposit:
        change = difference(_invariant(pool, _changed(pool.balances, index, amount)), before)
    else:
        change = difference(before, _invariant(pool, _changed(pool.balances, index, -amount)))
    return word(change * pool.supply) // before


def tokens_minted(pool: LiquidityPool, index: int, amount: int) -> int:
    """What `add_liquidity` mints for one coin, rounded down.

    Raises:
        ArithmeticError: the contract would revert, as it does for a first deposit of one coin alone.
    """
    if pool.supply == 0:
        raise ArithmeticError("a first deposit needs all coins")
    added = _changed(pool.balances, index, amount)
    before, after = _invariant(pool, pool.balances), _invariant(pool, added)
    if after <= before:
        raise ArithmeticError("the deposit is too small to count")
    count = len(added)
    fee, left = _imbalance_fee(pool), list(added)
    for k, (old, new) in enumerate(zip(pool.balances, added, strict=True)):
        apart = abs(word(after * old) // before - new)
        rate = fee_rate(fee, word(pool.rates[k] * (old + new)) // PRECISION, (before + after) // count)
        left[k] = difference(new, word(rate * apart) // FEE_DENOMINATOR)
    return word(pool.supply * difference(_invariant(pool, left), before)) // before


def coin_withdrawn(pool: LiquidityPool, index: int, tokens: int, *, held_back: int) -> int:
    """What `remove_liquidity_one_coin` pays for pool tokens, rounded down.

    Raises:
        ArithmeticError: the contract would revert.
    """
    return word(units_withdrawn(pool, index, tokens, held_back=held_back) * PRECISION) // pool.rates[index]


def units_withdrawn(pool: LiquidityPool, index: int, tokens: int, *, held_back: int) -> int:
    """The same in the common unit, before it is rounded to the coin's own.

    Raises:
        ArithmeticError: the contract would revert.
    """
    units = common_units(pool.balances, pool.rates)
    before, count = invariant(pool.curve, units), len(units)
    after = difference(before, word(tokens * before) // pool.supply)
    fee, center = _imbalance_fee(pool), (before + after) // (2 * count)
    bare, reduced = balance_on_curve(pool.curve, units, index, after), list(units)
    for k, unit in enumerate(units):
        share = word(unit * after) // before
        expected = difference(share, bare) if k == index else unit - share
        rate = fee_rate(fee, (unit + bare) // 2 if k == index else unit, center)
        reduced[k] = difference(unit, word(rate * expected) // FEE_DENOMINATOR)
    return difference(reduced[index], balance_on_curve(pool.curve, reduced, index, after) + held_back)


def _imbalance_fee(pool: LiquidityPool) -> StableFee:
    count = len(pool.balances)
    return StableFee(pool.fee.fee * count // (4 * (count - 1)), pool.fee.offpeg_multiplier)


def _invariant(pool: LiquidityPool, balances: Sequence[int]) -> int:
    return invariant(pool.curve, common_units(balances, pool.rates))


def _changed(balances: Sequence[int], index: int, amount: int) -> list[int]:
    changed = list(balances)
    changed[index] = difference(changed[index] + amount, 0)
    return changed
