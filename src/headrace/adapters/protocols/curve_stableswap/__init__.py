"""Curve StableSwap pools of all kinds: plain, lending, meta, NG."""

from headrace.adapters.protocols.curve_stableswap.dex import CurveStableswap

__all__ = ["CurveStableswap"]
