"""Oracle: quotes recorded from mainnet's stable pools, for exact inputs and for exact outputs."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from headrace.kernels.balancer_stable import StableCurve, amount_in, amount_in_asked, amount_out
from headrace.kernels.fixed_point_power import ONE

PARITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "vectors" / "onchain_parity"
pytestmark = pytest.mark.skipif(not PARITY.is_dir(), reason="../shared/data is absent")
FIRST_INVARIANT = 2  # in the files' own count of versions


class PoolFile(msgspec.Struct):
    address: str
    balances: list[int]
    fee: str
    amp: int
    resolved_scaling_factors: list[int]
    invariant_version: int
    bpt_idx: int | None = None

    def traded(self) -> list[int]:
        return [place for place in range(len(self.balances)) if place != self.bpt_idx]

    def curve(self) -> StableCurve:
        return StableCurve(
            amplification=self.amp,
            balances=tuple(self.balances[place] for place in self.traded()),
            scalings=tuple(self.resolved_scaling_factors[place] for place in self.traded()),
            swap_fee=int(Fraction(self.fee) * ONE),
            rounds_up=self.invariant_version == FIRST_INVARIANT,
        )


class Quote(msgspec.Struct):
    value: int


class QuoteFile(msgspec.Struct):
    entries: dict[str, Quote]


def test_quotes_equal_those_recorded_on_mainnet() -> None:
    files = sorted((PARITY / "chain_data").glob("balancer_stable_*.json"))
    pools = {pool.address: pool for pool in (msgspec.json.decode(file.read_bytes(), type=PoolFile) for file in files)}
    reached, seen = Counter[str](), set()
    for file in sorted((PARITY / "golden").glob("test_balancer_v2_stable*.json")):
        for key, quote in msgspec.json.decode(file.read_bytes(), type=QuoteFile).entries.items():
            address, _, kind, first, second, amount = key.split("|")
            pool = pools[address]
            way = [pool.traded().index(int(place.partition("=")[2])) for place in (first, second)]
            find = amount_out if kind == "GIVEN_IN" else amount_in_asked
            assert find(pool.curve(), way[0], way[1], int(amount)) == quote.value, key
            reached[kind] += 1
            seen.add(address)
            if kind == "GIVEN_IN" and quote.value:
                least = amount_in(pool.curve(), way[0], way[1], amount_out_min=quote.value, amount_in_max=1 << 112)
                assert least is not None
                assert least <= int(amount)
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached["GIVEN_IN"], reached["GIVEN_OUT"]) >= 100
    assert seen == set(pools)
