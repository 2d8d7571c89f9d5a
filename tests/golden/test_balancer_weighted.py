"""Oracles: quotes recorded from mainnet's weighted pools, and the weighted cases of Balancer's own maths vectors."""

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.weighted import WeightedPair, amount_in, amount_in_asked, amount_out

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "data" / "vectors"
PARITY = VECTORS / "onchain_parity"
pytestmark = pytest.mark.skipif(not PARITY.is_dir(), reason="../shared/data is absent")

_KEY = re.compile(r"(0x\w+)\|querySwap\|(GIVEN_IN|GIVEN_OUT)\|(?:i=(\d)\|j=(\d)|(\w+)->(\w+))\|(\d+)")


class Token(msgspec.Struct):
    symbol: str


class PoolFile(msgspec.Struct):
    address: str
    tokens: list[Token]
    balances: list[int]
    weights: list[int]
    fee: str
    pow_version: str = ""

    def pair(self, index_in: int, index_out: int) -> WeightedPair:
        return WeightedPair(
            balance_in=self.balances[index_in],
            balance_out=self.balances[index_out],
            weight_in=self.weights[index_in],
            weight_out=self.weights[index_out],
            swap_fee=int(Fraction(self.fee) * ONE),
            has_shortcuts=self.pow_version != "v1",
        )

    def index(self, symbol: str) -> int:
        return [token.symbol for token in self.tokens].index(symbol)


class Quote(msgspec.Struct):
    value: int | None = None
    error: str | None = None


class QuoteFile(msgspec.Struct):
    entries: dict[str, Quote]


def recorded_pools() -> dict[str, PoolFile]:
    files = sorted((PARITY / "chain_data").glob("balancer_weighted_*.json"))
    pools = [msgspec.json.decode(file.read_bytes(), type=PoolFile) for file in files]
    return {pool.address: pool for pool in pools}


def recorded_quotes() -> list[tuple[re.Match[str], int | None]]:
    quotes = []
    for file in sorted((PARITY / "golden").glob("test_balancer_v2*.json")):
        for key, quote in msgspec.json.decode(file.read_bytes(), type=QuoteFile).entries.items():
            match = _KEY.fullmatch(key)
            assert match, key
            quotes.append((match, quote.value))
    return quotes


def test_quotes_equal_those_recorded_on_mainnet() -> None:
    pools, reached = recorded_pools(), Counter[str]()
    for match, value in recorded_quotes():
        address, kind, i, j, symbol_in, symbol_out, amount = match.groups()
        if address not in pools:
            continue  # a stable pool
        pool = pools[address]
        way = (int(i), int(j)) if i else (pool.index(symbol_in), pool.index(symbol_out))
        pair = pool.pair(*way)
        ours = amount_out(pair, int(amount)) if kind == "GIVEN_IN" else amount_in_asked(pair, int(amount))
        assert ours == value, match.group()
        reached[kind] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached["GIVEN_IN"], reached["GIVEN_OUT"]) >= 50


class MathsSwap(msgspec.Struct, rename="camel"):
    swap_kind: int
    amount_raw: str
    token_in: str
    output_raw: str


class MathsPool(msgspec.Struct, rename="camel"):
    tokens: list[str]
    scaling_factors: list[str]
    weights: list[str]
    swap_fee: str
    balances: list[str] = msgspec.field(name="balancesLiveScaled18")


class MathsFile(msgspec.Struct):
    pool: MathsPool
    swaps: list[MathsSwap]


def test_a_pool_of_the_next_version_agrees_within_its_other_roundings() -> None:
    """These cases are of Balancer v3, whose pools take the fee in 18 decimals: the curve is the same, units differ."""
    file = VECTORS / "balancer_maths" / "11155111-7439300-Weighted-USDC-DAI.json"
    cases = msgspec.json.decode(file.read_bytes(), type=MathsFile)
    pool = cases.pool
    scalings = [int(factor) for factor in pool.scaling_factors]
    balances = [int(balance) // s for balance, s in zip(pool.balances, scalings, strict=True)]
    weights = [int(weight) for weight in pool.weights]
    for case in cases.swaps:
        i = [token.lower() for token in pool.tokens].index(case.token_in)
        pair = WeightedPair(
            balances[i], balances[1 - i], weights[i], weights[1 - i], int(pool.swap_fee), has_shortcuts=True
        )
        find = amount_in if case.swap_kind else amount_out
        ours, theirs = find(pair, int(case.amount_raw)), int(case.output_raw)
        assert ours is not None
        assert abs(ours - theirs) <= theirs // 10**7 + 1
