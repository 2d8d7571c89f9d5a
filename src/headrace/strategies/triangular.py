"""Triangular arbitrage: three assets in a circle."""

from headrace.strategies.cycle import CycleArbitrage


class TriangularArbitrage(CycleArbitrage):
    """Trades through three pools and back to the first asset."""

    id = "triangular"
    hops = 3
