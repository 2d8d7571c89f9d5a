"""Oracles: the integer twin, which recorded quotes prove; difference quotients for the slope."""

import random
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from tests.unit.kernels.test_cryptoswap import TRICRYPTO_NG, TWOCRYPTO_GROUPED, TWOCRYPTO_NG, random_pool

from headrace.kernels.cryptoswap import FEE_ONE, CryptoSwapPool, Fees, Generation, amount_out
from headrace.kernels.cryptoswap_newton import RevertError
from headrace.kernels.cryptoswap_shape import cryptoswap_shape, no_shape, output_and_slope
from headrace.kernels.curve import Curves, hop
from headrace.kernels.shape import ConstantProduct

SEED = 20_260_402
CURVED = msgspec.structs.replace(TWOCRYPTO_NG, fees=Fees(26_000_000, 450_000_000, 23 * 10**13, has_curved_fee=True))
STEADY = msgspec.structs.replace(TRICRYPTO_NG, fees=Fees(10**6, 10**8, 0))
POOLS = [TRICRYPTO_NG, TWOCRYPTO_NG, TWOCRYPTO_GROUPED, CURVED, STEADY]


def drawn(seed: int) -> list[tuple[CryptoSwapPool, int, int, int]]:
    draw, found = random.Random(seed), []
    pools = POOLS + [random_pool(draw, generation) for generation in Generation for _ in range(4)]
    for _ in range(1500):
        pool = draw.choice(pools)
        index_in, index_out = draw.sample(range(len(pool.balances)), 2)
        found.append((pool, index_in, index_out, int(pool.balances[index_in] * 10 ** draw.uniform(-15, 1.8))))
    return found


def test_the_shape_gives_the_exact_output_to_a_billionth() -> None:
    compared, worst = 0, 0.0
    for pool, index_in, index_out, amount in drawn(SEED):
        try:
            exact = amount_out(pool, index_in, index_out, amount)
        except RevertError:
            continue
        given, slope = output_and_slope(cryptoswap_shape(pool, index_in, index_out, pool.invariant).rows, float(amount))
        assert abs(given - exact) <= 1e-9 * exact + 1e-14 * pool.balances[index_out] + 5, pool
        assert slope >= 0
        worst = max(worst, abs(given - exact) / exact) if exact > 1e-6 * pool.balances[index_out] else worst
        compared += 1
    print(f"compared {compared}, worst {worst:.1e}")  # noqa: T201 - a test that passes says what it covered
    assert compared > 1000


def test_the_slope_is_the_difference_quotient() -> None:
    for pool, index_in, index_out, amount in drawn(SEED + 1)[:300]:
        if amount < 1e-5 * pool.balances[index_in]:
            continue
        rows = cryptoswap_shape(pool, index_in, index_out, pool.invariant).rows
        step = 1e-4 * amount
        quotient = (output_and_slope(rows, amount + step)[0] - output_and_slope(rows, amount - step)[0]) / (2 * step)
        assert output_and_slope(rows, float(amount))[1] == pytest.approx(quotient, rel=1e-5, abs=1e-12 * quotient)


def test_nothing_in_gives_nothing_at_the_price_of_the_smallest_trade() -> None:
    rows = cryptoswap_shape(TWOCRYPTO_NG, 0, 1, TWOCRYPTO_NG.invariant).rows
    given, price = output_and_slope(rows, 0.0)
    assert given == 0.0
    assert price == pytest.approx(amount_out(TWOCRYPTO_NG, 0, 1, 10**12) / 10**12, rel=1e-6)
    assert output_and_slope(rows, -1.0)[0] == 0.0


def test_the_output_rises_and_the_curve_without_its_fee_is_concave() -> None:
    for pool in POOLS:
        free = msgspec.structs.replace(pool, fees=Fees(0, 0, 10**15))
        for index_in, index_out in ((0, 1), (1, 0)):
            amounts = np.geomspace(1e-6, 30, 200) * pool.balances[index_in]
            rows, free_rows = (cryptoswap_shape(one, index_in, index_out, one.invariant).rows for one in (pool, free))
            outputs = [output_and_slope(rows, amount)[0] for amount in amounts]
            slopes = [output_and_slope(free_rows, amount)[1] for amount in amounts]
            assert outputs == sorted(outputs)
            assert all(after <= before * (1 + 1e-12) for before, after in pairwise(slopes))


def test_a_fee_that_falls_steepens_the_curve_by_a_few_times_its_span() -> None:
    """Towards balance the marginal price may rise, because what was already bought gets cheaper too."""
    worst = 0.0
    for pool in POOLS:
        span = (pool.fees.out_fee - pool.fees.mid_fee) / FEE_ONE
        for index_in, index_out in ((0, 1), (1, 0)):
            rows = cryptoswap_shape(pool, index_in, index_out, pool.invariant).rows
            slopes = [output_and_slope(rows, x * pool.balances[index_in])[1] for x in np.geomspace(1e-6, 2, 300)]
            rise = float(np.max(np.asarray(slopes) / np.minimum.accumulate(slopes))) - 1
            worst = max(worst, rise / span)
    print(f"steepened by {worst:.1f} times the span")  # noqa: T201 - a test that passes says what it covered
    assert 0 < worst < 6


def test_empty_pools_and_cleared_edges_give_nothing() -> None:
    empty = msgspec.structs.replace(TWOCRYPTO_NG, balances=(0, 0))
    curves = Curves(3)
    curves.put(0, cryptoswap_shape(empty, 0, 1, 0))
    curves.put(1, cryptoswap_shape(TWOCRYPTO_NG, 0, 1, TWOCRYPTO_NG.invariant))
    curves.put(2, ConstantProduct(1e9, 1e9, 0.997))
    assert hop(curves.arrays, 0, 1e18) == (0.0, 0.0)
    assert hop(curves.arrays, 1, 1e20)[0] == pytest.approx(178410447169437941926, rel=1e-9)
    curves.clear(1)
    assert hop(curves.arrays, 1, 1e20)[0] == 0.0
    assert hop(curves.arrays, 2, 1e3)[0] > 0.0
    assert len(no_shape().rows) == 0


def test_a_pool_with_next_to_nothing_of_a_coin_gives_nothing() -> None:
    """Its lack of balance is 1 to a float; the exact twin refuses it too."""
    for scale in (1, 10**6, 10**12):
        for index in range(3):
            balances = tuple(scale if k == index else one for k, one in enumerate(TRICRYPTO_NG.balances))
            pool = msgspec.structs.replace(TRICRYPTO_NG, balances=balances)
            rows = cryptoswap_shape(pool, 0, 1, pool.invariant).rows
            assert output_and_slope(rows, 1e6)[0] >= 0.0
    dust = msgspec.structs.replace(TRICRYPTO_NG, balances=(TRICRYPTO_NG.balances[0], TRICRYPTO_NG.balances[1], 1))
    assert len(cryptoswap_shape(dust, 0, 1, dust.invariant).rows) == 0
    with pytest.raises(RevertError):
        amount_out(dust, 0, 1, 10**6)
