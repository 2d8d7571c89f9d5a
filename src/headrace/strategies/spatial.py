"""Spatial arbitrage: one pair of tokens, two venues."""

from headrace.strategies.cycle import CycleArbitrage


class SpatialArbitrage(CycleArbitrage):
    """Buys where a pair is cheap and sells where it is dear, in one transaction."""

    id = "spatial"
    hops = 2
