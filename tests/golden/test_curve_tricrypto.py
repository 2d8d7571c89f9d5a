"""Oracle: what Curve's first tricrypto pool answered on mainnet: `get_dy`, its D, its virtual price."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from headrace.kernels.cryptoswap import Backing, CryptoSwapPool, Fees, Generation, amount_out, invariant_of, mean_down
from headrace.kernels.cryptoswap_inverse import amount_in
from headrace.kernels.cryptoswap_newton import ONE
from headrace.kernels.cryptoswap_shape import cryptoswap_shape, output_and_slope

PARITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "vectors" / "onchain_parity"
pytestmark = pytest.mark.skipif(not PARITY.is_dir(), reason="../shared/data is absent")

ANN_FACTOR = 10_000  # this pool's `A()` has no decimals


class Token(msgspec.Struct):
    symbol: str
    decimals: int


class PoolFile(msgspec.Struct):
    """`virtual_price` is `get_virtual_price()`."""

    tokens: list[Token]
    balances: list[int]
    a_coefficient: int
    gamma: int
    d: int
    price_scale: list[int]
    mid_fee: int
    out_fee: int
    fee_gamma: int
    virtual_price: int
    lp_token_total_supply: int

    def pool(self) -> CryptoSwapPool:
        scales = zip((10 ** (18 - t.decimals) for t in self.tokens), (ONE, *self.price_scale), strict=True)
        return CryptoSwapPool(
            generation=Generation.TRIPLE,
            balances=tuple(self.balances),
            scales=tuple(precision * price for precision, price in scales),
            prices=tuple(self.price_scale),
            ann=self.a_coefficient * ANN_FACTOR,
            gamma=self.gamma,
            invariant=self.d,
            fees=Fees(self.mid_fee, self.out_fee, self.fee_gamma),
            backing=Backing(self.lp_token_total_supply, self.virtual_price),
        )


class Quote(msgspec.Struct):
    value: int


class QuoteFile(msgspec.Struct):
    entries: dict[str, Quote]


@pytest.fixture(scope="module")
def recorded() -> PoolFile:
    (file,) = (PARITY / "chain_data").glob("curve_tricrypto_*.json")
    return msgspec.json.decode(file.read_bytes(), type=PoolFile)


def quotes(recorded: PoolFile) -> list[tuple[tuple[int, int], int, int]]:
    file = PARITY / "golden" / "test_curve_tricrypto_get_dy.json"
    symbols = [token.symbol for token in recorded.tokens]
    found = []
    for key, quote in msgspec.json.decode(file.read_bytes(), type=QuoteFile).entries.items():
        _, call, way, amount = key.split("|")
        assert call == "get_dy"
        first, second = way.split("->")
        found.append(((symbols.index(first), symbols.index(second)), int(amount), quote.value))
    return found


def test_quotes_equal_those_recorded_on_mainnet(recorded: PoolFile) -> None:
    reached: Counter[tuple[int, int]] = Counter()
    for way, amount, value in quotes(recorded):
        assert amount_out(recorded.pool(), *way, amount) == value
        reached[way] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert len(reached) == 6
    assert min(reached.values()) >= 3


def test_the_least_input_of_a_recorded_output_is_no_more_than_what_bought_it(recorded: PoolFile) -> None:
    for way, amount, value in quotes(recorded):
        least = amount_in(recorded.pool(), *way, value)
        assert least <= amount
        assert amount_out(recorded.pool(), *way, least) == value
        assert amount_out(recorded.pool(), *way, least - 1) < value


def test_d_and_the_virtual_price_follow_from_the_balances_to_the_unit(recorded: PoolFile) -> None:
    pool = recorded.pool()
    assert invariant_of(pool, pool.balances) == recorded.d
    parts = [recorded.d // 3, *(recorded.d * ONE // (3 * price) for price in recorded.price_scale)]
    assert ONE * mean_down(pool, parts) // recorded.lp_token_total_supply == recorded.virtual_price


def test_the_shape_gives_recorded_quotes_to_a_billionth(recorded: PoolFile) -> None:
    for (index_in, index_out), amount, value in quotes(recorded):
        shape = cryptoswap_shape(recorded.pool(), index_in, index_out, recorded.d)
        given, _ = output_and_slope(shape.rows, float(amount))
        assert abs(given - value) <= 1e-9 * value + 2
