"""The harness: two contenders take turns, a round each, and the medians of their rounds are compared.

On a machine with other work to do, absolute times mean little and drift; taking turns spreads a disturbance over both
sides, and the median drops it. So a figure is a ratio, and nothing is asserted in seconds.
"""

import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from statistics import median

import msgspec

Round = Callable[[], float]  # one timed round: nanoseconds for one operation
_WARM_UP_ROUNDS = 2


class Effort(msgspec.Struct, frozen=True):
    """How long to measure."""

    rounds: int = 41
    executions: int = 200


QUICK = Effort(rounds=3, executions=4)


class Goal(msgspec.Struct, frozen=True):
    """What a figure should reach: ours so many times faster than the rival, or at most so many times its cost."""

    kind: str  # "faster" or "cost"
    bound: float

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.kind == "faster" else ratio <= self.bound


class Figure(msgspec.Struct, frozen=True):
    """One line of a report; `ratio` is rival by ours where the goal is to be faster, else ours by rival."""

    what: str
    ours_ns: float
    rival: str
    rival_ns: float
    n: int
    goal: Goal = Goal("faster", 1.0)

    @property
    def ratio(self) -> float:
        return self.rival_ns / self.ours_ns if self.goal.kind == "faster" else self.ours_ns / self.rival_ns

    def text(self) -> str:
        verdict = "met" if self.goal.is_met(self.ratio) else "MISSED"
        sign = ">=" if self.goal.kind == "faster" else "<="
        return (
            f"{self.what:<52} {duration(self.ours_ns):>9}   {self.rival} {duration(self.rival_ns)}"
            f"   {self.ratio:.2f}x {'faster' if self.goal.kind == 'faster' else 'its cost'}"
            f" (goal {sign} {self.goal.bound:g}: {verdict})   n={self.n}"
        )


class Answer(msgspec.Struct, frozen=True):
    """What a benchmark found: its figures, and remarks such as where two contenders disagree."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def timed(work: Callable[[], object], repeats: int) -> Round:
    """A round that calls `work` so many times."""

    def one_round() -> float:
        started = time.perf_counter_ns()
        for _ in range(repeats):
            work()
        return (time.perf_counter_ns() - started) / repeats

    return one_round


def interleaved(ours: Round, rival: Round, rounds: int) -> tuple[float, float]:
    """Medians of both after a warm-up, taking turns: ours, rival, ours, rival."""
    for _ in range(_WARM_UP_ROUNDS):
        ours()
        rival()
    pairs = [(ours(), rival()) for _ in range(rounds)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def percentile(values: Sequence[float], percent: int) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]


def duration(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.0f} ns"


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    return {
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
    }
