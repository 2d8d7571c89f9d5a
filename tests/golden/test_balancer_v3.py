"""Oracle: swaps that Balancer's maths vectors recorded from pools of v3 on a public test chain (end of 2024)."""

from pathlib import Path

import msgspec
import pytest

from headrace.kernels.balancer_v3 import (
    StableCurve,
    VaultPool,
    WeightedCurve,
    amount_in,
    amount_in_asked,
    amount_out,
)
from headrace.kernels.fixed_point_power import ONE

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "data" / "vectors" / "balancer_maths"
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="../shared/data is absent")


class Swap(msgspec.Struct, rename="camel"):
    swap_kind: int
    amount_raw: str
    token_in: str
    output_raw: str


class RecordedPool(msgspec.Struct, rename="camel"):
    tokens: list[str]
    scaling_factors: list[str]
    swap_fee: str
    token_rates: list[str]
    balances: list[str] = msgspec.field(name="balancesLiveScaled18")
    weights: list[str] = []
    amp: str = ""

    def as_in_the_vault(self, *, has_minima: bool) -> VaultPool:
        """The files hold scaled balances: a rate-free scale of one gives just these back, so scales are set after."""
        weights = numbers(self.weights)
        curve = StableCurve(int(self.amp)) if self.amp else WeightedCurve(weights, (1, 1) if has_minima else None)
        scalings, rates = numbers(self.scaling_factors), numbers(self.token_rates)
        balances = tuple(
            raw_of(int(live), by, rate) for live, by, rate in zip(self.balances, scalings, rates, strict=True)
        )
        return VaultPool(curve, balances, scalings, rates, int(self.swap_fee), trade_min=10**6)


class MathsFile(msgspec.Struct):
    pool: RecordedPool
    swaps: list[Swap]


def numbers(texts: list[str]) -> tuple[int, ...]:
    return tuple(int(text) for text in texts)


def raw_of(live: int, scaling: int, rate: int) -> int:
    """The raw balance that gives this scaled one: the least, and it is held against it."""
    raw = -(-live * ONE // (scaling * rate))
    assert raw * scaling * rate // ONE == live
    return raw


@pytest.mark.parametrize("has_minima", [False, True])
@pytest.mark.parametrize("name", ["Stable-stataUSDC-stataUSDT", "Weighted-USDC-DAI"])
def test_swaps_equal_those_recorded_both_ways(name: str, has_minima: bool) -> None:  # noqa: FBT001
    """One unit more of the balance in, which later weighted pools count, is too little to show in these."""
    cases = msgspec.json.decode((VECTORS / f"11155111-7439300-{name}.json").read_bytes(), type=MathsFile)
    pool = cases.pool.as_in_the_vault(has_minima=has_minima)
    for case in cases.swaps:
        place = [token.lower() for token in cases.pool.tokens].index(case.token_in)
        find = amount_in_asked if case.swap_kind else amount_out
        amount, recorded = int(case.amount_raw), int(case.output_raw)
        assert find(pool, place, 1 - place, amount) == recorded
        wanted = amount if case.swap_kind else recorded
        least = amount_in(pool, place, 1 - place, wanted)
        assert least is not None
        assert (amount_out(pool, place, 1 - place, least) or 0) >= wanted
    assert len(cases.swaps) >= 2
