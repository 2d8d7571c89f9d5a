"""The stable shape against the invariant itself, solved with sixty digits by halving."""

import random
from collections import Counter
from decimal import Decimal, localcontext

import numpy as np
import pytest

from headrace.kernels.curve import Curves, hop
from headrace.kernels.shape import Stable

SEED = 20_260_302
CASES = 400
_HALVINGS = 200
_CLOSE = 1e-9
_HALF = Decimal("0.5")


def excess(balances: list[Decimal], ann: Decimal, invariant: Decimal) -> Decimal:
    """How far the invariant's left side is above its right: rises with a balance, falls with D."""
    product = invariant
    for balance in balances:
        product *= invariant / (len(balances) * balance)
    return ann * sum(balances) + invariant - ann * invariant - product


def invariant_of(balances: list[Decimal], ann: Decimal) -> Decimal:
    """D by halving."""
    low, high = Decimal(0), sum(balances, Decimal(0))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if excess(balances, ann, middle) > 0:
            low = middle
        else:
            high = middle
    return low


def output_of(shape: Stable, amount: float) -> Decimal:
    """Units out by halving over the balance that stays, and the fee as the contracts' papers say it."""
    balances = [Decimal(float(one)) for one in shape.balances]
    ann = Decimal(shape.ann)
    goal = invariant_of(balances, ann)
    before_in, before_out = balances[shape.index_in], balances[shape.index_out]
    balances[shape.index_in] += Decimal(amount) * Decimal(shape.scale_in) * Decimal(shape.gamma_in)
    low, high = Decimal(0), before_out
    for _ in range(_HALVINGS):
        balances[shape.index_out] = (low + high) / 2
        if excess(balances, ann, goal) < 0:
            low = balances[shape.index_out]
        else:
            high = balances[shape.index_out]
    fee, multiplier = 1 - Decimal(shape.gamma_out), Decimal(shape.offpeg_multiplier)
    mean_in = (before_in + balances[shape.index_in]) * _HALF
    mean_out = (before_out + low) * _HALF
    nearness = 4 * mean_in * mean_out / (mean_in + mean_out) ** 2
    taken = fee * multiplier / ((multiplier - 1) * nearness + 1)
    return (before_out - low) * (1 - taken) / Decimal(shape.scale_out)


def drawn(draw: random.Random) -> tuple[Stable, float, str]:
    """A pool, an input, and the class they belong to."""
    count = draw.randint(2, 5)
    balances = np.array([10 ** draw.uniform(22, 25) for _ in range(count)])
    index_in, index_out = draw.sample(range(count), 2)
    scale_in = 10.0 ** draw.choice([0, 10, 12])
    share = 10 ** draw.uniform(-17, 2)
    shape = Stable(
        balances=balances,
        ann=10 ** draw.uniform(0.5, 5),
        index_in=index_in,
        index_out=index_out,
        scale_in=scale_in,
        scale_out=10.0 ** draw.choice([0, 10, 12]),
        gamma_in=draw.choice([1.0, 0.9996]),
        gamma_out=draw.choice([1.0, 0.999]),
        offpeg_multiplier=draw.choice([1.0, 2.0, 10.0]),
    )
    kind = "tiny" if share < 1e-9 else "mid" if share < 0.3 else "large"
    return shape, share * balances[index_in] / scale_in, kind


def on_an_edge(shape: Stable) -> Curves:
    curves = Curves(1)
    curves.put(0, shape)
    return curves


def test_output_is_the_invariants_to_a_billionth_for_dust_and_for_more_than_the_pool() -> None:
    draw = random.Random(SEED)
    reached: Counter[str] = Counter()
    with localcontext() as context:
        context.prec = 60
        for _ in range(CASES // 4):
            shape, amount, kind = drawn(draw)
            wanted = float(output_of(shape, amount))
            given, _ = hop(on_an_edge(shape).arrays, 0, amount)
            assert given == pytest.approx(wanted, rel=_CLOSE, abs=0), (shape, amount)
            reached[kind] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached[kind] for kind in ("tiny", "mid", "large")) >= 8, reached


def test_marginal_price_is_the_slope_of_the_output() -> None:
    draw = random.Random(SEED + 1)
    for _ in range(CASES):
        shape, amount, _ = drawn(draw)
        arrays = on_an_edge(shape).arrays
        width = 1e-4 * max(amount, float(shape.balances[shape.index_in]) / shape.scale_in * 1e-6)
        (below, _), (above, _) = hop(arrays, 0, amount), hop(arrays, 0, amount + 2 * width)
        _, slope = hop(arrays, 0, amount + width)
        assert slope == pytest.approx((above - below) / (2 * width), rel=1e-5), (shape, amount)


def test_an_empty_pool_gives_nothing() -> None:
    balances = np.array([0.0, 1e24])
    shape = Stable(balances, ann=400.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0)
    assert hop(on_an_edge(shape).arrays, 0, 1e18) == (0.0, 0.0)


def test_an_edge_forgets_the_fee_of_the_pool_that_stood_there() -> None:
    balances = np.array([3e24, 1e24])
    plain = Stable(balances, ann=400.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0)
    dear = Stable(
        balances, ann=400.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0, gamma_out=0.99, offpeg_multiplier=5.0
    )
    curves = on_an_edge(dear)
    curves.put(0, plain)
    assert hop(curves.arrays, 0, 1e18) == hop(on_an_edge(plain).arrays, 0, 1e18)
