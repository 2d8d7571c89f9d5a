"""What a strategy is: it looks, and says what it sees. It never executes; that is the line."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headrace.model.address import Address
from headrace.model.opportunity import Opportunity
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState


class CycleFinding(msgspec.Struct, frozen=True):
    """A profitable cycle with its best size, in floats of raw units; `rate` is its gross rate at zero size."""

    route: Route
    amount_in: float
    profit: float
    rate: float


class CycleFinder(Protocol):
    """Search over the market as it was last updated."""

    def cycles(self, hops: int, *, edge_bps_min: int, start_tokens: Sequence[Address]) -> Sequence[CycleFinding]:
        """Profitable cycles of exactly `hops` hops through the pools that the last block changed."""
        ...


class StrategyConfig(msgspec.Struct, frozen=True):
    """What every arbitrage strategy is told; `start_tokens` are what may be spent and earned, best first."""

    min_spread_bps: int
    start_tokens: tuple[Address, ...]


class Strategy(Protocol):
    """One kind of opportunity.

    `scan` must be quick and complete for its kind; whatever it returns is checked exactly by the line.
    """

    @property
    def id(self) -> str:
        """Name in reports, the journal and the configuration."""
        ...

    @property
    def type(self) -> str:
        """Family, such as "arbitrage"."""
        ...

    @property
    def config(self) -> StrategyConfig:
        """What it was told."""
        ...

    def scan(self, snapshot: Snapshot[PoolState], finder: CycleFinder) -> Sequence[Opportunity]:
        """Opportunities at this snapshot."""
        ...

    def validate(self, opportunity: Opportunity, snapshot: Snapshot[PoolState]) -> bool:
        """Whether the opportunity still stands on this snapshot, as cheaply as can be told."""
        ...

    def estimate_profit(self, opportunity: Opportunity) -> int:
        """Gross profit in units of the first token, from floats."""
        ...

    def estimated_roi(self, opportunity: Opportunity) -> float:
        """Profit by capital needed; for ranking only."""
        ...

    def can_interrupt_current(self) -> bool:
        """Whether it may take the place of a running strategy."""
        ...
