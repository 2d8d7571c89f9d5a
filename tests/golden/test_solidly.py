"""Oracle: `getAmountOut` of two Aerodrome pools on Base, recorded at block 46875151: one stable, one volatile."""

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from headrace.kernels import solidly_shape
from headrace.kernels.solidly import Root, SolidlyPair, accepts, amount_in, amount_out

PARITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "vectors" / "onchain_parity"
pytestmark = pytest.mark.skipif(not PARITY.is_dir(), reason="../shared/data is absent")

_KEY = re.compile(r"(0x\w+)\|getAmountOut\|(.+)->(.+)\|(\d+)")


class Token(msgspec.Struct):
    symbol: str
    decimals: int


class PoolFile(msgspec.Struct):
    pool: str
    stable: bool
    fee_raw: int
    token0: Token
    token1: Token
    reserves_token0: int
    reserves_token1: int

    def direction(self, symbol_in: str) -> SolidlyPair:
        is_zero_for_one = symbol_in == self.token0.symbol
        order = 1 if is_zero_for_one else -1
        reserves = (self.reserves_token0, self.reserves_token1)[::order]
        scales = (10**self.token0.decimals, 10**self.token1.decimals)[::order]
        return SolidlyPair(
            reserve_in=reserves[0],
            reserve_out=reserves[1],
            scale_in=scales[0],
            scale_out=scales[1],
            fee=self.fee_raw,
            fee_unit=10_000,
            is_stable=self.stable,
            root=Root.VELODROME_V2,
            is_zero_for_one=is_zero_for_one,
        )


class Quote(msgspec.Struct):
    value: int


class QuoteFile(msgspec.Struct):
    entries: dict[str, Quote]


def recorded() -> list[tuple[SolidlyPair, int, int]]:
    """Every recorded quote: the pair in its direction, the input, the output."""
    files = sorted((PARITY / "chain_data").glob("aerodrome_v2_*.json"))
    pools = {file.pool: file for file in (msgspec.json.decode(f.read_bytes(), type=PoolFile) for f in files)}
    found = []
    for quotes in sorted((PARITY / "golden").glob("test_aerodrome_v2_*.json")):
        for key, quote in msgspec.json.decode(quotes.read_bytes(), type=QuoteFile).entries.items():
            match = _KEY.fullmatch(key)
            assert match, key
            found.append((pools[match[1]].direction(match[2]), int(match[4]), quote.value))
    return found


def test_quotes_equal_those_recorded_on_base() -> None:
    reached: Counter[str] = Counter()
    for pair, given, paid in recorded():
        assert amount_out(pair, given) == paid, (pair, given)
        assert accepts(pair, given, paid)
        reached[f"{'stable' if pair.is_stable else 'volatile'}, token {0 if pair.is_zero_for_one else 1} in"] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert len(reached) == 4
    assert min(reached.values()) >= 12


def test_the_least_input_for_what_was_recorded_is_no_more_than_what_was_given() -> None:
    for pair, given, paid in recorded():
        least = amount_in(pair, paid)
        assert least is not None
        assert least <= given
        assert amount_out(pair, least) == paid
        assert (amount_out(pair, least - 1) or 0) < paid


def test_the_shape_gives_what_was_recorded() -> None:
    for pair, given, paid in recorded():
        if not pair.is_stable:
            continue
        gamma, ratio = 1 - pair.fee / pair.fee_unit, pair.scale_out / pair.scale_in
        reserves = float(pair.reserve_in), float(pair.reserve_out)
        found, _ = solidly_shape.output_and_slope(*reserves, gamma, ratio, float(given))
        assert abs(found - paid) <= 1e-9 * paid + 2 + 2 * ratio
