"""One pool, quoted by us and by a rival; before anything is timed, the numbers are compared."""

import time
from collections.abc import Callable, Sequence

from benchmarks.measure import interleaved
from benchmarks.rivals.degenbot_process import NAME, Degenbot
from headrace.model.address import ZERO_ADDRESS
from headrace.model.block import BlockContext
from headrace.ports.pool import DEX, PoolState

_AT = BlockContext(1, 1_700_000_000, 10**10, ZERO_ADDRESS)


class QuoteContest:
    """Our protocol on a state, and a rival that holds the same state."""

    def __init__(self, dex: DEX, make_state: Callable[[], PoolState], rival: Degenbot) -> None:
        self._dex = dex
        self._make_state = make_state
        self._state = make_state()
        self._rival = rival

    def race(self, draw: Callable[[], Sequence[int]], rounds: int, *, is_new: bool = False) -> tuple[float, float]:
        """Medians of nanoseconds for one quote, ours and the rival's; both get the same fresh amounts in each round.

        With `is_new`, `make_state` gives every quote of ours a state of its own, made before the clock starts.
        """
        amounts: Sequence[int] = ()

        def ours() -> float:
            nonlocal amounts
            amounts = draw()
            return self._ours([self._make_state() if is_new else self._state for _ in amounts], amounts)

        return interleaved(ours, lambda: self._rival.quotes(amounts)[0], rounds)

    def agreement(self, amounts: Sequence[int], name: str, index_in: int = 0) -> str:
        """Whether both give the same units, as a sentence."""
        token_in, token_out = self._state.pool.tokens[index_in], self._state.pool.tokens[1 - index_in]
        ours = [self._dex.quote_out(self._state, token_in, token_out, amount, _AT) for amount in amounts]
        _, theirs = self._rival.quotes(amounts, index_in)
        misses = [abs(a - b) for a, b in zip(ours, theirs, strict=True) if a != b]
        if not misses:
            return f"{name}: {len(amounts)} quotes, all equal to the unit"
        return f"{name}: {NAME} differs in {len(misses)} of {len(amounts)} quotes, by up to {max(misses)} units"

    def _ours(self, states: Sequence[PoolState], amounts: Sequence[int]) -> float:
        quote, at, (token_in, token_out) = self._dex.quote_out, _AT, self._state.pool.tokens
        started = time.perf_counter_ns()
        for state, amount in zip(states, amounts, strict=True):
            quote(state, token_in, token_out, amount, at)
        return (time.perf_counter_ns() - started) / len(amounts)
