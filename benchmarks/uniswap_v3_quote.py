"""How fast is one exact quote of a Uniswap v3 pool that crosses 0, 5 and 40 initialised ticks?

Ours adds up whole pieces once for each change of a position and finds the last piece by bisection; the rival walks.
Both keep what they have worked out from one quote to the next, so no amount comes twice. The last figure takes our
advantage away: the table of ticks is new for every quote.
"""

import random

from benchmarks.measure import Answer, Effort, Figure, Goal
from benchmarks.quotes import QuoteContest
from benchmarks.rivals.degenbot_process import NAME, VERSION_NOTE, Degenbot
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.protocols.uniswap_v3.state import PROTOCOL, UniswapV3State
from headrace.kernels.tick_math import sqrt_price_at_tick_up
from headrace.kernels.tick_segments import crossed_ticks, fill
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool

_TOKENS = (Address(f"0x{1:040x}"), Address(f"0x{2:040x}"))
_ADDRESS = Address(f"0x{99:040x}")
_POOL = Pool(PoolId(_ADDRESS), _ADDRESS, PROTOCOL, "pools", _TOKENS, 3000)
_SPACING = 60
_TICK = 76_013
_POSITIONS = 60
_AMOUNTS = 100
CROSSED = (0, 5, 40)
_GOAL = Goal("faster", 8.0)
_NEW_TABLE_GOAL = Goal("faster", 1.0)


def run(effort: Effort) -> Answer:
    figures, notes = [], [VERSION_NOTE]
    with Degenbot(_fields(_entries())) as rival:
        contest = QuoteContest(UniswapV3(), _state, rival)
        for crossed in CROSSED:
            down, up = _Draw(crossed, zero_for_one=True), _Draw(crossed, zero_for_one=False)
            notes.append(contest.agreement(down(), f"v3, {crossed} ticks down"))
            notes.append(contest.agreement(up(), f"v3, {crossed} ticks up", index_in=1))
            ours_ns, rival_ns = contest.race(down, effort.rounds)
            figures.append(_figure(f"v3 quote_out, {crossed} ticks crossed", ours_ns, rival_ns, effort, _GOAL))
        ours_ns, rival_ns = contest.race(down, effort.rounds, is_new=True)
        what = f"v3 quote_out, {CROSSED[-1]} ticks, every tick table new"
        figures.append(_figure(what, ours_ns, rival_ns, effort, _NEW_TABLE_GOAL))
    return Answer(tuple(figures), tuple(notes))


def _figure(what: str, ours_ns: float, rival_ns: float, effort: Effort, goal: Goal) -> Figure:
    return Figure(what, ours_ns, NAME, rival_ns, effort.rounds * _AMOUNTS, goal)


def _entries() -> dict[int, TickLiquidity]:
    """Positions nested around the price, each with liquidity of its own."""
    rng, middle = random.Random(7), _TICK // _SPACING
    entries: dict[int, TickLiquidity] = {}
    for step in range(1, _POSITIONS + 1):
        liquidity = int(10**22 * rng.uniform(0.5, 1.5))
        entries[(middle - step) * _SPACING] = TickLiquidity(liquidity, liquidity)
        entries[(middle + step) * _SPACING] = TickLiquidity(liquidity, -liquidity)
    return entries


def _state() -> UniswapV3State:
    table = TickTable(_POOL.fee_pips, _SPACING, _entries())
    return UniswapV3State(_POOL, _point(table), table)


def _point(table: TickTable) -> PricePoint:
    price = (sqrt_price_at_tick_up(_TICK) + sqrt_price_at_tick_up(_TICK + 1)) // 2
    return PricePoint(price, _TICK, table.liquidity_at(_TICK))


class _Draw:
    """Inputs that cross exactly so many ticks: between the least that does and the least that crosses one more."""

    def __init__(self, crossed: int, *, zero_for_one: bool) -> None:
        least = 1 if crossed == 0 else _least_input(crossed, zero_for_one=zero_for_one)
        self._high = _least_input(crossed + 1, zero_for_one=zero_for_one)
        self._low = least + (self._high - least) // 10
        self._rng = random.Random(crossed)

    def __call__(self) -> list[int]:
        return [self._rng.randrange(self._low, self._high) for _ in range(_AMOUNTS)]


def _least_input(crossed: int, *, zero_for_one: bool) -> int:
    state, low, high = _state(), 1, 10**30
    while low < high:
        middle = (low + high) // 2
        filled = fill(state.table, state.point, middle, zero_for_one=zero_for_one)
        if filled is None:
            high = middle
            continue
        reached = crossed_ticks(state.table, state.point, filled.tick_reached, zero_for_one=zero_for_one)
        low, high = (low, middle) if reached >= crossed else (middle + 1, high)
    return low


def _fields(entries: dict[int, TickLiquidity]) -> dict[str, int | list[list[int]]]:
    point = _state().point
    return {
        "sqrt_price_x96": point.sqrt_price_x96,
        "tick": point.tick,
        "liquidity": point.liquidity,
        "fee_pips": _POOL.fee_pips,
        "tick_spacing": _SPACING,
        "ticks": [[tick, entry.gross, entry.net] for tick, entry in entries.items()],
    }
