"""A screen that is kept up to date against one that measures the whole market anew; the oracle is the latter.

Random blocks change a few of sixty pools of a few pairs: prices that wander and jump, pools that run dry, grow coarse,
grow old or are quarantined by their protocol. Pools are measured at once or a block late, as the line does.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from tests.support.market import DAI, DEXES, TOKENS, USD_PRICES, USDC, WETH, header, pair

from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.model.token import Token
from headrace.pipeline.market import screen as screening
from headrace.pipeline.market.screen import Screen
from headrace.ports.pool import PoolState

POOLS = 60
BLOCKS = 120
SEEDS = range(8)
PAIRS = ((WETH, USDC), (WETH, DAI), (USDC, DAI))
CLASSES = {"its": 1000, "fewer": 1000, "odd": 1000, "came": 500, "went": 500, "late": 300, "unmoved": 50}


class Incremental(Screen):
    """The one that is kept up to date: mutants are planted here, not in the oracle."""


class Market:
    """States and marks that change at random; what it hands out is what a market would."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.number = 100
        self.pairs = [PAIRS[min(i % 7, 2)] for i in range(POOLS)]  # most of one pair, some of the others
        self.states: list[PoolState] = [self._state(i) for i in range(POOLS)]
        self.pools = tuple(state.pool for state in self.states)

    def begin(self) -> Snapshot[PoolState]:
        return self._snapshot(range(POOLS))

    def next(self) -> Snapshot[PoolState]:
        """One block: a few pools change, or none."""
        self.number += 1
        changed = self.draw.sample(range(POOLS), self.draw.choice((0, 1, 1, 2, 5)))
        for index in changed:
            state = self._state(index)
            self.states[index] = Quarantined(state.pool, "odd") if self.draw.random() < 0.1 else state
        return self._snapshot(changed)

    def _snapshot(self, changed: Iterable[int]) -> Snapshot[PoolState]:
        aged = self.draw.sample(range(POOLS), 2) if self.draw.random() < 0.2 else ()
        return Snapshot(
            header=header(self.number),
            announced_ns=1,
            pools=self.pools,
            states=tuple(self.states),
            index_of={pool.id: i for i, pool in enumerate(self.pools)},
            tokens=TOKENS,
            changed=tuple(sorted(changed)),
            quarantined={i: one.reason for i, one in enumerate(self.states) if isinstance(one, Quarantined)},
            as_of={i: self.number - self.draw.randrange(1, 3) for i in aged},
        )

    def _state(self, index: int) -> UniswapV2State:
        token0, token1 = self.pairs[index]
        factor = self.draw.choice((1.0, 1.0, 1.01, 0.98, 1.0, 3.0, 0.2))
        usd = self.draw.choice((0.0, 1e-3, 3e4, 1e6, 2e6, 5e7))
        reserves = (_units(token0, usd), _units(token1, factor * usd))
        return UniswapV2State(pair(index + 1, "a", token0, token1), *reserves)


def _units(token: Token, usd: float) -> int:
    return int(usd / (USD_PRICES[token.address] / 1e12) * 10**token.decimals)


def from_scratch(market: Snapshot[PoolState]) -> tuple[dict[int, str], dict[int, str]]:
    """What a new screen measures, and what it keeps out."""
    everything = market.doubted(tuple(range(POOLS)), market.quarantined)
    screen = Screen(market.pools, DEXES)
    kept_out = dict(screen.screened(everything).quarantined)
    return dict(screen.renew(everything)), kept_out


def lived(seed: int) -> Counter[str]:
    """Blocks after blocks, each compared; how often each class of doubt was met."""
    counts: Counter[str] = Counter()
    market = Market(seed)
    before = market.begin()
    screen = Incremental(before.pools, DEXES)
    told = screen.screened(before)
    for _ in range(BLOCKS):
        raw = market.next()
        measured, kept_out = from_scratch(raw)
        known = dict(screen.renew(before))
        is_late = market.draw.random() < 0.5
        now = screen.believed(raw) if is_late else screen.screened(raw)
        expected = {**known, **{i: kept_out[i] for i in raw.as_of}, **raw.quarantined} if is_late else kept_out
        assert dict(now.quarantined) == expected
        flipped = now.quarantined.keys() ^ told.quarantined.keys()
        assert flipped.union(raw.changed) <= set(now.changed)
        assert set(now.changed) - flipped.union(raw.changed) <= raw.quarantined.keys()
        assert dict(screen.renew(now)) == measured
        counts.update(why.split()[0] for why in now.quarantined.values())
        counts.update(late=is_late, came=len(now.quarantined.keys() - told.quarantined.keys()))
        counts.update(went=len(told.quarantined.keys() - now.quarantined.keys()), unmoved=now is raw or not flipped)
        before, told = now, now
    return counts


def test_a_renewed_screen_doubts_what_a_new_one_does_block_after_block() -> None:
    counts = sum((lived(seed) for seed in SEEDS), Counter[str]())
    print("doubts by first word, and blocks:", dict(counts))  # noqa: T201 - what was reached
    assert {name for name, least in CLASSES.items() if counts[name] < least} == set()


def only_what_is_doubted_now(screen: Screen, pair: screening.Pair) -> set[int]:
    screen._lonely[pair] = screening._lonely(screen._weighed[pair])
    return set(screen._lonely[pair])


def only_what_was(screen: Screen, pair: screening.Pair) -> set[int]:
    before = screen._lonely.get(pair, {})
    screen._lonely[pair] = screening._lonely(screen._weighed[pair])
    return set(before)


def grain_alone(screen: Screen, index: int) -> None:
    screen._measured.pop(index, None)
    if index in screen._coarse:
        screen._measured[index] = screen._coarse[index]


@pytest.mark.parametrize(
    ("name", "mutant"),
    [("_compared", only_what_is_doubted_now), ("_compared", only_what_was), ("_judge", grain_alone)],
)
def test_a_renewal_that_forgets_a_side_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, mutant: Callable[..., object]
) -> None:
    monkeypatch.setattr(Incremental, name, mutant)
    with pytest.raises(AssertionError):
        sum((lived(seed) for seed in SEEDS), Counter[str]())


def test_a_mapping_that_was_handed_out_stays_as_it_was() -> None:
    market = Market(1)
    screen = Screen(market.begin().pools, DEXES)
    first = screen.screened(market.begin())
    copied = dict(first.quarantined)
    for _ in range(20):
        screen.screened(market.next())
    assert dict(first.quarantined) == copied
    assert dict(screen.screened(market.next()).quarantined) != copied


def test_where_nothing_moves_the_same_mapping_is_handed_out_again() -> None:
    market = Market(2)
    screen = Screen(market.begin().pools, DEXES)
    screen.screened(market.begin())
    quiet = [market.begin().doubted((), {}) for _ in range(2)]
    for one in quiet:
        one.as_of = {}
    first, second = (screen.screened(one) for one in quiet)
    assert second.quarantined is first.quarantined
    assert second.changed == ()
