"""What the market is made of: tokens at their first day's prices, pools at depths found on the main net."""

import msgspec

from headrace.devnet.recipe.tokens import TokenSpec

TOKENS = (
    TokenSpec("WETH", 18, 3_000.0),
    TokenSpec("USDC", 6, 1.0),
    TokenSpec("USDT", 6, 1.0),
    TokenSpec("DAI", 18, 1.0),
    TokenSpec("WBTC", 8, 90_000.0),
    TokenSpec("LINK", 18, 15.0),
    TokenSpec("UNI", 18, 8.0),
    TokenSpec("AAVE", 18, 160.0),
)


class PoolOutline(msgspec.Struct, frozen=True):
    """A pool to be made: its tokens, the dollars in it, its fee in pips and, when weighted, its weights in percent."""

    symbols: tuple[str, ...]
    usd: float
    fee_pips: int = 3000
    weights: tuple[int, ...] = ()


FIRST_V2 = (
    PoolOutline(("WETH", "USDC"), 16e6),
    PoolOutline(("WETH", "USDT"), 12e6),
    PoolOutline(("WETH", "DAI"), 6e6),
    PoolOutline(("WETH", "WBTC"), 5e6),
    PoolOutline(("WETH", "LINK"), 3e6),
    PoolOutline(("WETH", "UNI"), 2e6),
    PoolOutline(("WETH", "AAVE"), 1.5e6),
    PoolOutline(("USDC", "USDT"), 2e6),
    PoolOutline(("USDC", "DAI"), 1.5e6),
    PoolOutline(("USDC", "LINK"), 0.4e6),
)
SECOND_V2 = (
    PoolOutline(("WETH", "USDC"), 8e6),
    PoolOutline(("WETH", "USDT"), 4e6),
    PoolOutline(("WETH", "DAI"), 4e6),
    PoolOutline(("WETH", "WBTC"), 6e6),
    PoolOutline(("WETH", "LINK"), 1.6e6),
    PoolOutline(("WETH", "UNI"), 0.9e6),
    PoolOutline(("WETH", "AAVE"), 1.2e6),
)
V3 = (
    PoolOutline(("WETH", "USDC"), 1e6, 100),
    PoolOutline(("WETH", "USDC"), 12e6, 500),
    PoolOutline(("WETH", "USDC"), 10e6, 3000),
    PoolOutline(("WETH", "USDT"), 5e6, 500),
    PoolOutline(("WETH", "USDT"), 4e6, 3000),
    PoolOutline(("WETH", "DAI"), 2e6, 3000),
    PoolOutline(("WETH", "WBTC"), 6e6, 500),
    PoolOutline(("WETH", "WBTC"), 8e6, 3000),
    PoolOutline(("WBTC", "USDC"), 3e6, 3000),
    PoolOutline(("USDC", "USDT"), 4e6, 100),
    PoolOutline(("USDC", "DAI"), 4e6, 100),
    PoolOutline(("WETH", "LINK"), 3e6, 3000),
    PoolOutline(("WETH", "UNI"), 2e6, 3000),
    PoolOutline(("WETH", "AAVE"), 1.5e6, 3000),
    PoolOutline(("WETH", "UNI"), 0.3e6, 10_000),
)
BALANCER = (
    PoolOutline(("WETH", "DAI"), 3e6, 1000, (50, 50)),
    PoolOutline(("WETH", "WBTC"), 4e6, 1000, (50, 50)),
    PoolOutline(("WETH", "USDC"), 5e6, 1500, (50, 50)),
    PoolOutline(("AAVE", "WETH"), 3e6, 2500, (80, 20)),
    PoolOutline(("LINK", "WETH"), 1.5e6, 3000, (80, 20)),
    PoolOutline(("WBTC", "WETH", "USDC"), 6e6, 2000, (34, 33, 33)),
)

STABLE_SYMBOLS = frozenset({"USDC", "USDT", "DAI"})
LENT_USD = 5e6  # supplied to the lending market, per token
INVENTORY_USD = 50e6  # of each token, to each trader and rival
EXECUTOR_CAPITAL_USD = {"WETH": 5_000.0, "USDC": 5_000.0, "DAI": 3_000.0}
