import math
import statistics
from itertools import pairwise

import pytest

from headrace.devnet.prices import FairPrices
from headrace.devnet.recipe.outline import TOKENS

BLOCKS = 5_000


def walk(seed: int, blocks: int) -> list[dict[str, float]]:
    prices = FairPrices(TOKENS, seed)
    path = [prices.usd]
    for _ in range(blocks):
        prices.advance()
        path.append(prices.usd)
    return path


def test_prices_start_at_those_of_the_outline() -> None:
    assert FairPrices(TOKENS, 1).usd == pytest.approx({spec.symbol: spec.usd for spec in TOKENS})


def test_the_same_seed_walks_the_same_path() -> None:
    assert walk(3, 50) == walk(3, 50)
    assert walk(3, 50) != walk(4, 50)


@pytest.mark.parametrize(("symbol", "low", "high"), [("WETH", 2, 8), ("WBTC", 1.5, 7), ("LINK", 4, 12)])
def test_volatility_per_block_is_the_main_nets(symbol: str, low: float, high: float) -> None:
    path = [math.log(prices[symbol]) for prices in walk(5, BLOCKS)]
    moves = [(after - before) * 1e4 for before, after in pairwise(path)]
    assert low < statistics.stdev(moves) < high


def test_dollar_tokens_stay_near_a_dollar() -> None:
    assert all(abs(prices[symbol] - 1) < 0.002 for prices in walk(5, BLOCKS) for symbol in ("USDC", "USDT", "DAI"))
