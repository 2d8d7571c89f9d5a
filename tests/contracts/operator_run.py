"""Runs of the malicious operator, and the counts of what it did: each run of forge writes a line for each sequence."""

import os
import subprocess
from pathlib import Path

import msgspec
from tests.contracts.compiler import CONTRACTS

FORGE = CONTRACTS.parent / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
ACTIONS = (
    *("trade in real pools", "trade in own pools", "trade with lies", "trade own token", "execute damaged plan"),
    *("execute noise", "batch", "sweep", "forge a call", "replay a callback", "donate", "wrap", "pause", "dismiss"),
    "withdraw",
)
_KINDS = ("Uniswap v2", "Uniswap v3", "Balancer v2", "Uniswap v4", "Curve", "Balancer v3", "Solidly")
_FUNDINGS = (
    *("own capital", "flash swap", "Balancer v2 loan", "Uniswap v3 loan", "Aave v3 loan", "Balancer v3 loan"),
    *("Uniswap v4 loan", "Morpho loan", "ERC-3156 loan"),
)
_LIES = (
    *("none", "pays half", "pays nothing", "says more", "calls twice", "changes data", "calls not back"),
    *("a stranger calls", "asks for more", "takes less", "takes more", "reverts"),
)
MARKS = {
    **{1 + i: f"step: {name}" for i, name in enumerate(_KINDS)},
    **{8 + i: f"funding: {name}" for i, name in enumerate(_FUNDINGS)},
    **{17 + i: f"lie: {name}" for i, name in enumerate(_LIES)},
    32: "step of a villain",
}


class Counts(msgspec.Struct):
    """How often each thing was tried and succeeded, by its name; `refusals` are villains' calls that were refused."""

    tried: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys((*ACTIONS, *MARKS.values()), 0))
    succeeded: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys((*ACTIONS, *MARKS.values()), 0))
    refusals: int = 0

    def actions(self) -> int:
        return sum(self.tried[name] for name in ACTIONS)

    def successes(self) -> int:
        return sum(self.succeeded[name] for name in ACTIONS)

    def add(self, line: str) -> None:
        """A line as `afterInvariant` writes it."""
        words = line.split()
        actions = words[1 : 1 + len(ACTIONS)]
        marks = words[2 + len(ACTIONS) : -2]
        self._add_all(dict(zip(ACTIONS, actions, strict=True)))
        self._add_all({MARKS[i]: pair for i, pair in enumerate(marks, 1) if i in MARKS})
        self.refusals += int(words[-1])

    def merge(self, other: "Counts") -> None:
        for name in other.tried:
            self.tried[name] += other.tried[name]
            self.succeeded[name] += other.succeeded[name]
        self.refusals += other.refusals

    def table(self) -> str:
        rows = [f"{name:<28}{self.tried[name]:>12,}{self.succeeded[name]:>12,}" for name in (*ACTIONS, *MARKS.values())]
        total = f"{'all actions':<28}{self.actions():>12,}{self.successes():>12,}"
        return "\n".join([f"{'':<28}{'tried':>12}{'succeeded':>12}", *rows, total, f"calls refused: {self.refusals:,}"])

    def _add_all(self, pairs: dict[str, str]) -> None:
        for name, pair in pairs.items():
            tried, _, succeeded = pair.partition("/")
            self.tried[name] += int(tried)
            self.succeeded[name] += int(succeeded)


def run_operator(
    place: Path, *, seed: int, sequences: int, calls: int, artifact: str = "", seconds_max: int = 600
) -> subprocess.CompletedProcess[str]:
    """One run of forge; its counts are written to `place`/counts.txt, which lies in contracts/cache."""
    place.mkdir(parents=True, exist_ok=True)
    counts = place / "counts.txt"
    counts.unlink(missing_ok=True)
    settings = {
        "FOUNDRY_INVARIANT_RUNS": str(sequences),
        "FOUNDRY_INVARIANT_DEPTH": str(calls),
        "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0" if artifact else "500",
        "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": str(place),
        "OPERATOR_COUNTS": counts.relative_to(CONTRACTS).as_posix(),
    }
    if artifact:
        settings |= {"EXECUTOR_ARTIFACT": artifact, "FOUNDRY_CODE_SIZE_LIMIT": "100000"}
    return subprocess.run(
        [FORGE, "test", "--match-contract", "MaliciousOperatorTest", "--fuzz-seed", hex(seed)],
        cwd=CONTRACTS,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
    )


def counted(place: Path) -> Counts:
    """What the last run in this place did. Forge ends with its last sequence told twice."""
    counts = Counts()
    for line in dict.fromkeys((place / "counts.txt").read_text().splitlines()):
        counts.add(line)
    return counts
