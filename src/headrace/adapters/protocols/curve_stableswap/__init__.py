"""Curve StableSwap pools of all kinds: plain, lending, meta, NG."""
