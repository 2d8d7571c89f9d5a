"""Uniswap v2 and its forks."""

from headrace.adapters.protocols.uniswap_v2.dex import UniswapV2

__all__ = ["UniswapV2"]
