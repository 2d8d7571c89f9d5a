"""The ways to pay a plan's first amount, cheapest first; what was tried in vain is passed over.

Own capital costs nothing but must be there. A flash swap borrows from the first pool itself, which pays out before it
is paid. A flash loan costs its lender's fee and gas, and never comes from a source that the plan locks.
"""

from collections.abc import Collection, Sequence

from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.executor_plan import Funding
from headrace.model.opportunity import FundingOffer, Source
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.pipeline.validate.quoting import Dexes
from headrace.ports.flash_source import FlashSource
from headrace.ports.pool import PoolState
from headrace.ports.treasury import Treasury

FLASH_SWAP_GAS = 13_200  # the callback and its lock: contracts/README.md, flash swap less own capital
_OWN_CAPITAL = FundingOffer(Funding.OWN_CAPITAL, ZERO_ADDRESS, fee_units=0, gas=0)
_FLASH_SWAP = FundingOffer(Funding.FLASH_SWAP, ZERO_ADDRESS, fee_units=0, gas=FLASH_SWAP_GAS)


class FundingDesk:
    """Knows every source of money for one account."""

    def __init__(self, treasury: Treasury, sources: Sequence[FlashSource], dexes: Dexes) -> None:
        """Keep the sources."""
        self._treasury = treasury
        self._sources = tuple(sources)
        self._dexes = dexes
        self._loan_gas_min = min((source.gas for source in self._sources), default=0)

    def cheapest(
        self,
        route: Route,
        amount_units: int,
        snapshot: Snapshot[PoolState],
        *,
        gas_price_units_x96: int,
        without: Collection[Source] = (),
    ) -> FundingOffer | None:
        """The offer with the least fee and gas of a source that is not in `without`, or None.

        `gas_price_units_x96` is what one gas costs in units of the first token, times 2^96.
        """
        own = self._without_lender(route, amount_units, snapshot, without)
        if own is not None and own.gas <= self._loan_gas_min:
            return own  # no lender can do it for less
        loans = self._loans(route, amount_units, snapshot)
        offers = [*([] if own is None else [own]), *(loan for loan in loans if loan.source not in without)]
        return min(offers, key=lambda o: (o.fee_units << 96) + o.gas * gas_price_units_x96, default=None)

    def why_closed(self, token: Address) -> str:
        """Why lenders that could lend a token do not, as last read; empty where nothing forbids it to any of them."""
        return "; ".join(filter(None, (source.why_closed(token) for source in self._sources)))

    def _without_lender(
        self, route: Route, amount_units: int, snapshot: Snapshot[PoolState], without: Collection[Source]
    ) -> FundingOffer | None:
        """Own capital if there is enough, else a flash swap if the first pool does that: neither takes a fee."""
        if _OWN_CAPITAL.source not in without and amount_units <= self._treasury.available_units(route.token_in):
            return _OWN_CAPITAL
        is_lender = self._dexes[snapshot.pool(route.hops[0].pool).protocol].supports_flash_swap
        return _FLASH_SWAP if is_lender and _FLASH_SWAP.source not in without else None

    def _loans(self, route: Route, amount_units: int, snapshot: Snapshot[PoolState]) -> list[FundingOffer]:
        token, pools = route.token_in, route.pools
        venues = tuple(snapshot.pool(pool).address for pool in pools)
        offers = []
        for source in self._sources:
            fee = None if source.is_locked_by(pools, venues) else source.fee_units(token, amount_units)
            if fee is not None:
                offers.append(FundingOffer(source.funding, source.lender, fee_units=fee, gas=source.gas))
        return offers
