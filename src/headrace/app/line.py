"""The line from a snapshot to transactions that a node has accepted: search, validate, plan, rehearse, execute.

What one block offers goes through together: one synced commit for all reservations and signatures, and the sends side
by side. The node begins to simulate each plan as soon as it is valid, while the others are still validated and the
reservations made: what it simulates in vain costs nobody anything. Without a `TransactionManager` the line ends after
the rehearsal: that is a dry run.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from headrace.app.next_engine import on_next_engines
from headrace.model.address import Address, PoolId
from headrace.model.base_fee import ETHEREUM_BASE_FEE, BaseFeeRule
from headrace.model.block import BlockContext, next_block
from headrace.model.opportunity import Opportunity, Rehearsed, Source, Validated
from headrace.model.pool import ProtocolId
from headrace.model.refusal import Reason, Refusal
from headrace.model.snapshot import Snapshot
from headrace.pipeline.execute.transactions import Prepared, Submitted, TransactionManager
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.plan.intent import intent_of
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.rehearsal import Rehearsal
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.search.ranking import ranked
from headrace.pipeline.validate.validator import Validator
from headrace.ports.clock import Clock
from headrace.ports.oracle import Oracle
from headrace.ports.pool import DEX, PoolState
from headrace.ports.strategy import Strategy

_BEGUN_EARLY_MAX = 4  # a node that is given more at once answers the first, which count most, the later


class LineParts(msgspec.Struct, frozen=True):
    """What the line is wired from.

    `why_unfit` says of a token at a block why it must not be traded, or nothing.
    `transactions` is None in a dry run, `announced_number` gives the newest block's; a block older than
    `head_age_seconds_max` by `clock` is not traded on. `l1_fee_wei` gives what a plan's data costs besides gas.
    """

    dexes: Mapping[ProtocolId, DEX]
    graph: SearchGraph
    strategies: tuple[Strategy, ...]
    oracle: Oracle
    validator: Validator
    planner: Planner
    rehearsal: Rehearsal
    transactions: TransactionManager | None
    block_seconds: int
    announced_number: Callable[[], int]
    clock: Clock
    head_age_seconds_max: int | None
    screen: Screen | None = None
    base_fee: BaseFeeRule = ETHEREUM_BASE_FEE
    l1_fee_wei: Callable[[], int] = int
    why_unfit: Callable[[Address, int], str] = lambda _token, _block: ""


class Pass(msgspec.Struct, frozen=True):
    """What one block gave. `refused` says why for each that was stopped, in the order of the checks.

    `dropped_edges_bps` are the gross edges of what search found and did not hand on, because its estimated profit does
    not come near the gas.
    """

    found: tuple[Opportunity, ...]
    dropped_edges_bps: tuple[int, ...]
    validated: tuple[Validated, ...]
    rehearsed: tuple[Rehearsed, ...]
    submitted: tuple[Submitted, ...]
    refused: tuple[tuple[Opportunity, Refusal], ...]

    @property
    def refusals(self) -> Counter[Reason]:
        """How many were stopped, by reason."""
        counts = Counter(refusal.reason for _, refusal in self.refused)
        if self.dropped_edges_bps:
            counts[Reason.NOT_PROFITABLE_AFTER_GAS] += len(self.dropped_edges_bps)
        return counts


class Line:
    """One account's line on one chain; one pass at a time."""

    def __init__(self, parts: LineParts) -> None:
        """Keep the parts."""
        self._parts = parts

    async def run(self, snapshot: Snapshot[PoolState], settle: Callable[[], Awaitable[None]] | None = None) -> Pass:
        """Take a snapshot through the line; returns when the node has answered every send.

        `settle` looks at what the block made of earlier trades. It costs a round trip, so it is called only where an
        opportunity wants a pool that is on the route of a plan in flight, which may have come free; for the most
        promising of them while the others are validated.

        Raises:
            JournalError: nothing was sent, and nothing may be sent any more.
        """
        refused: list[tuple[Opportunity, Refusal]] = []
        parts = self._parts
        at = next_block(snapshot.header, parts.block_seconds, parts.base_fee, l1_fee_wei=parts.l1_fee_wei())
        found = self._find(snapshot, at)
        untried = deque(() if self._is_old(snapshot, found, refused) else found)
        rehearsals = Rehearsals(self._parts, snapshot)
        settling: asyncio.Future[None] | None = None
        try:
            validated: list[Validated] = []
            for one in self._valid(untried, snapshot, at, refused):
                if len(validated) < (1 if parts.transactions is None else _BEGUN_EARLY_MAX):
                    rehearsals.begin(one)  # also where it wants a pool in flight: most probably that plan has ended
                if settle is not None and not validated and self._wants_pools_in_flight([one]):
                    settling = asyncio.ensure_future(settle())
                    await asyncio.sleep(0)  # its questions are on their way
                validated.append(one)
            validated.sort(key=lambda v: v.gas_estimate * v.context.base_fee_wei - v.profit_native_wei)
            validated = self._believed(validated, snapshot, refused)
            if settling is not None:
                await settling
            elif settle is not None and self._wants_pools_in_flight(validated):
                await settle()
            chosen = await self._reserve(validated, snapshot, refused)
            rehearsed = await self._rehearse(chosen, rehearsals, refused)
        finally:
            if settling is not None:
                settling.cancel()
            await rehearsals.close()
        timely = await self._timely(rehearsed, snapshot, refused)
        submitted = await self._execute(timely, refused)
        return Pass(
            found=tuple(found),
            dropped_edges_bps=tuple(self._parts.graph.dropped_edges_bps),
            validated=tuple(validated),
            rehearsed=tuple(rehearsed),
            submitted=tuple(submitted),
            refused=tuple(refused),
        )

    def _is_old(
        self,
        snapshot: Snapshot[PoolState],
        found: Sequence[Opportunity],
        refused: list[tuple[Opportunity, Refusal]],
    ) -> bool:
        age, age_max = self._parts.clock.now() - snapshot.header.timestamp, self._parts.head_age_seconds_max
        if age_max is None or age <= age_max:
            return False
        refusal = Refusal(Reason.MARKET_STALE, f"block {snapshot.header.number} is {age} s old by our clock")
        refused += [(opportunity, refusal) for opportunity in found]
        return True

    def _find(self, snapshot: Snapshot[PoolState], at: BlockContext) -> list[Opportunity]:
        def floor_units(token: Address, hops: int) -> int:
            return self._parts.validator.floor_units(token, hops, snapshot, at)

        is_dry = self._parts.transactions is None  # then somebody wants to see all that there is
        self._parts.graph.update(snapshot, None if is_dry else floor_units)
        found = [o for strategy in self._parts.strategies for o in strategy.scan(snapshot, self._parts.graph)]
        prices = {
            token: price.usd_pico
            for token in {o.route.token_in for o in found}
            if (price := self._parts.oracle.price(token, snapshot.header.timestamp)) is not None
        }
        return ranked(
            found, snapshot.tokens, prices.get, lambda one: floor_units(one.route.token_in, len(one.route.hops))
        )

    def _first_valid(
        self,
        untried: deque[Opportunity],
        snapshot: Snapshot[PoolState],
        at: BlockContext,
        refused: list[tuple[Opportunity, Refusal]],
    ) -> Validated | None:
        """The first in the order of the estimates, most probably the best; what comes before it is refused."""
        while untried:
            opportunity = untried.popleft()
            verdict = self._unfit(opportunity, at) or self._parts.validator.validate(opportunity, snapshot, at)
            if isinstance(verdict, Validated):
                return verdict
            refused.append((opportunity, verdict))
        return None

    def _unfit(self, opportunity: Opportunity, at: BlockContext) -> Refusal | None:
        for token in opportunity.route.tokens:
            why = self._parts.why_unfit(token, at.number)
            if why:
                return Refusal(Reason.TOKEN_UNFIT, f"token {token}: {why}")
        return None

    def _valid(
        self,
        untried: deque[Opportunity],
        snapshot: Snapshot[PoolState],
        at: BlockContext,
        refused: list[tuple[Opportunity, Refusal]],
    ) -> Iterator[Validated]:
        """Those that are valid, in the order of the estimates.

        Of two routes through one pool only one can be executed, so what shares a pool with a valid one before it is not
        quoted any more, unless somebody wants to see all that there is.
        """
        taken: set[PoolId] = set()
        while (one := self._first_valid(untried, snapshot, at, refused)) is not None:
            yield one
            if self._parts.transactions is not None:
                taken.update(one.opportunity.route.pools)
                untried = _without(taken, untried, refused)

    def _believed(
        self,
        validated: Sequence[Validated],
        snapshot: Snapshot[PoolState],
        refused: list[tuple[Opportunity, Refusal]],
    ) -> list[Validated]:
        """Those through no pool, and priced in gas by none, that this very block brought into doubt."""
        doubted = {} if self._parts.screen is None else self._parts.screen.renew(snapshot)
        believed = []
        for one in validated:
            route = one.opportunity.route
            priced_by = self._parts.validator.conversion_pools(route.token_in, snapshot)
            used = {snapshot.index_of[pool] for pool in route.pools}.union(priced_by)
            new = [i for i in sorted(used) if i in doubted and i not in snapshot.quarantined]  # others were not counted
            doubts = [f"pool {snapshot.pools[i].id}: {doubted[i]}" for i in new]
            if doubts:
                refused.append((one.opportunity, Refusal(Reason.POOL_DOUBTED, doubts[0])))
            else:
                believed.append(one)
        return believed

    def _wants_pools_in_flight(self, validated: Sequence[Validated]) -> bool:
        if self._parts.transactions is None:
            return False
        taken = self._parts.transactions.pools_in_flight
        return any(not taken.isdisjoint(one.opportunity.route.pools) for one in validated)

    async def _reserve(
        self,
        validated: Sequence[Validated],
        snapshot: Snapshot[PoolState],
        refused: list[tuple[Opportunity, Refusal]],
    ) -> list[Validated]:
        """Those that hold a reservation now; what wants own capital that others hold is put on its next engine."""
        if not validated:
            return []
        if self._parts.transactions is None:
            answers = _without_shared_pools(validated)
        else:
            answers = await self._parts.transactions.reserve([intent_of(v, snapshot) for v in validated])
        opened, stopped = [], []
        for one, answer in zip(validated, answers, strict=True):
            if answer is None:
                opened.append(one)
            else:
                stopped.append((one, answer))
        again = on_next_engines(self._parts.validator, stopped, snapshot, refused)
        return [*opened, *(await self._reserve(again, snapshot, refused))]

    async def _rehearse(
        self, chosen: Sequence[Validated], rehearsals: "Rehearsals", refused: list[tuple[Opportunity, Refusal]]
    ) -> list[Rehearsed]:
        """Those that do what was quoted; what its engine fails is tried once more, on the next one."""
        for one in chosen:
            rehearsals.begin(one)
        rehearsed, stopped = [], []
        for one in chosen:
            verdict = await rehearsals.verdict(one)
            if isinstance(verdict, Rehearsed):
                rehearsed.append(verdict)
                continue
            stopped.append((one, verdict))
            if self._parts.transactions is not None:
                await self._parts.transactions.drop(one.opportunity.id, verdict)
        again = on_next_engines(self._parts.validator, stopped, rehearsals.snapshot, refused)
        if not again:
            return rehearsed
        reserved = await self._reserve(again, rehearsals.snapshot, refused)
        return [*rehearsed, *(await self._rehearse(reserved, rehearsals, refused))]

    async def _timely(
        self,
        rehearsed: Sequence[Rehearsed],
        snapshot: Snapshot[PoolState],
        refused: list[tuple[Opportunity, Refusal]],
    ) -> Sequence[Rehearsed]:
        """All, or none where a newer block was announced meanwhile: what was rehearsed is then no longer true."""
        newest, number = self._parts.announced_number(), snapshot.header.number
        if newest <= number or self._parts.transactions is None:
            return rehearsed
        refusal = Refusal(Reason.BLOCK_PASSED, f"block {newest} was announced while block {number} was worked on")
        for one in rehearsed:
            opportunity = one.plan.validated.opportunity
            refused.append((opportunity, refusal))
            await self._parts.transactions.drop(opportunity.id, refusal)
        return ()

    async def _execute(
        self, rehearsed: Sequence[Rehearsed], refused: list[tuple[Opportunity, Refusal]]
    ) -> list[Submitted]:
        if self._parts.transactions is None or not rehearsed:
            return []
        batch = [Prepared(r.plan.validated.opportunity.id, r) for r in rehearsed]
        answers = await self._parts.transactions.execute(batch)
        for one, answer in zip(rehearsed, answers, strict=True):
            if isinstance(answer, Refusal):
                refused.append((one.plan.validated.opportunity, answer))
        return [answer for answer in answers if isinstance(answer, Submitted)]


def _without(
    taken: set[PoolId], untried: Iterable[Opportunity], refused: list[tuple[Opportunity, Refusal]]
) -> deque[Opportunity]:
    """Those through none of the pools; the others are refused."""
    left: deque[Opportunity] = deque()
    for opportunity in untried:
        shared = taken.intersection(opportunity.route.pools)
        if shared:
            refusal = Refusal(Reason.POOL_IN_FLIGHT, f"pool {min(shared)} is on the route of a better plan")
            refused.append((opportunity, refusal))
        else:
            left.append(opportunity)
    return left


class Rehearsals:
    """Those of one block: begun one by one, awaited together."""

    def __init__(self, parts: LineParts, snapshot: Snapshot[PoolState]) -> None:
        """Begin with none."""
        self._parts = parts
        self.snapshot = snapshot
        self._under_way: dict[tuple[str, Source], asyncio.Future[Rehearsed | Refusal]] = {}

    def begin(self, validated: Validated) -> None:
        """Have the node simulate its plan, unless it does already."""
        key = _trial(validated)
        if key not in self._under_way:
            plan = self._parts.planner.plan(validated, self.snapshot)
            under_way = self._parts.rehearsal.rehearse(plan, self.snapshot)
            self._under_way[key] = asyncio.ensure_future(under_way)

    async def verdict(self, validated: Validated) -> Rehearsed | Refusal:
        """Of one that was begun."""
        return await self._under_way[_trial(validated)]

    async def close(self) -> None:
        """Nobody waits for the others any more."""
        left = [under_way for under_way in self._under_way.values() if not under_way.done()]
        if left:
            await asyncio.sleep(0)  # what has not begun cannot end cleanly
        for under_way in left:
            under_way.cancel()


def _trial(validated: Validated) -> tuple[str, Source]:
    """One opportunity on one engine."""
    return validated.opportunity.id, validated.funding.source


def _without_shared_pools(validated: Sequence[Validated]) -> list[Refusal | None]:
    taken: set[str] = set()
    answers: list[Refusal | None] = []
    for one in validated:
        shared = taken.intersection(one.opportunity.route.pools)
        if shared:
            answers.append(Refusal(Reason.POOL_IN_FLIGHT, f"pool {min(shared)} is on the route of a better plan"))
            continue
        taken.update(one.opportunity.route.pools)
        answers.append(None)
    return answers
