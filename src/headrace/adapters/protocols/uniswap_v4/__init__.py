"""Uniswap v4: concentrated liquidity over ticks, all pools in one PoolManager."""

from headrace.adapters.protocols.uniswap_v4.dex import UniswapV4
from headrace.adapters.protocols.uniswap_v4.key import PoolKey
from headrace.adapters.protocols.uniswap_v4.keyring import UniswapV4Venue

__all__ = ["PoolKey", "UniswapV4", "UniswapV4Venue"]
