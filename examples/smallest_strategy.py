"""The smallest strategy: two-hop cycles between two named venues, and nothing else.

A package that installs this class under the entry point group `headrace.strategies` can be named in a configuration's
agent like those that come with Headrace:

    [project.entry-points."headrace.strategies"]
    between_two_venues = "your_package:BetweenTwoVenues"
"""

from collections.abc import Sequence

from headrace.model.opportunity import Opportunity
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState
from headrace.ports.strategy import CycleFinder
from headrace.strategies.spatial import SpatialArbitrage

VENUES = {"uniswap_v3", "sushiswap"}


class BetweenTwoVenues(SpatialArbitrage):
    """Spatial arbitrage between `VENUES` alone; the line checks, rehearses and executes what it returns."""

    id = "between_two_venues"

    def scan(self, snapshot: Snapshot[PoolState], finder: CycleFinder) -> Sequence[Opportunity]:
        """What the wider strategy sees, less every route that leaves the two venues."""
        found = super().scan(snapshot, finder)
        return [one for one in found if {snapshot.pool(pool).venue for pool in one.route.pools} == VENUES]
