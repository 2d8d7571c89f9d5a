"""Arbitrage along a cycle of a fixed number of hops: what the strategies of this family share."""

from collections.abc import Sequence
from hashlib import blake2b

from headrace.model.opportunity import Opportunity
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState
from headrace.ports.strategy import CycleFinder, CycleFinding, StrategyConfig

_BPS = 10_000
_ID_BYTES = 16


class CycleArbitrage:
    """Finds profitable cycles of `hops` hops; subclasses name the number."""

    id = "cycle"
    type = "arbitrage"
    hops = 2

    def __init__(self, config: StrategyConfig) -> None:
        """Keep what it was told."""
        self.config = config

    def scan(self, snapshot: Snapshot[PoolState], finder: CycleFinder) -> Sequence[Opportunity]:
        """All such cycles through the pools that the snapshot's block changed."""
        found = finder.cycles(self.hops, edge_bps_min=self.config.min_spread_bps, start_tokens=self.config.start_tokens)
        return [self._opportunity(snapshot, finding) for finding in found if finding.amount_in >= 1.0]

    def validate(self, opportunity: Opportunity, snapshot: Snapshot[PoolState]) -> bool:
        """Whether no pool on the route changed since it was found."""
        is_same_block = opportunity.found_on == snapshot.header.ref
        return is_same_block or all(snapshot.index_of[p] not in snapshot.changed for p in opportunity.route.pools)

    def estimate_profit(self, opportunity: Opportunity) -> int:
        """The float estimate, rounded down."""
        return opportunity.profit_estimate_units

    def estimated_roi(self, opportunity: Opportunity) -> float:
        """Profit by input."""
        return opportunity.profit_estimate_units / opportunity.amount_in_units

    def can_interrupt_current(self) -> bool:
        """Arbitrage of one block never waits for another strategy."""
        return True

    def _opportunity(self, snapshot: Snapshot[PoolState], finding: CycleFinding) -> Opportunity:
        # by pool and token, because two pools can share many tokens
        hops = ",".join([f"{hop.pool}>{hop.token_out}" for hop in finding.route.hops])
        name = f"{snapshot.header.hash}:{self.id}:{finding.route.token_in}:{hops}".encode()
        return Opportunity(
            id="0x" + blake2b(name, digest_size=_ID_BYTES).hexdigest(),
            strategy=self.id,
            route=finding.route,
            amount_in_units=int(finding.amount_in),
            profit_estimate_units=int(finding.profit),
            edge_bps=int((finding.rate - 1.0) * _BPS),
            found_on=snapshot.header.ref,
            announced_ns=snapshot.announced_ns,
        )
