"""Backing by bisection against the closed form of a constant-product pool."""

import math

import pytest

from headrace.kernels.backing import Backing, backing
from headrace.kernels.curve import Curves
from headrace.kernels.shape import ConstantProduct


def measured(reserve_in: float, reserve_out: float, gamma: float = 0.997) -> Backing:
    curves = Curves(1)
    curves.put(0, ConstantProduct(reserve_in, reserve_out, gamma))
    return Backing(*backing(curves.arrays, 0, 50.0, 0.99))


@pytest.mark.parametrize("reserve_in", [1.0, 1e6, 1e24, 5e33])
@pytest.mark.parametrize("reserve_out", [86.0, 9_000.0, 11_000.0, 1e18, 5e33])
def test_depth_is_what_moves_the_price_by_a_percent(reserve_in: float, reserve_out: float) -> None:
    found = measured(reserve_in, reserve_out)
    assert found.rate == pytest.approx(0.997 * reserve_out / reserve_in)
    assert found.output == pytest.approx(reserve_out * (1 - math.sqrt(0.99)), rel=1e-6)
    assert found.is_coarse == (reserve_out < 10_000)


def test_an_empty_pool_has_none() -> None:
    assert measured(1.0, 0.0) == (0.0, False, 0.0)
