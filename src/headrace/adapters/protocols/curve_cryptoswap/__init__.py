"""Curve's pools around a moving price: tricrypto and twocrypto, both generations."""

from headrace.adapters.protocols.curve_cryptoswap.dex import CurveCryptoSwap

__all__ = ["CurveCryptoSwap"]
