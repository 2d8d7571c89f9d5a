"""Uniswap v3 and its unchanged forks: concentrated liquidity over ticks."""

from headrace.adapters.protocols.uniswap_v3.dex import UniswapV3

__all__ = ["UniswapV3"]
