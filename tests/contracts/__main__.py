"""`python -m tests.contracts`: the malicious operator until it has acted ten million times, on every core.

What was counted is kept in contracts/cache, so that a run may be ended and gone on with: what belongs to other sources
than today's counts for nothing.
"""

import argparse
import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from tests.contracts.compiler import CONTRACTS
from tests.contracts.operator_run import ACTIONS, MARKS, Counts, counted, run_operator

PLACE = CONTRACTS / "cache" / "prove"
ACTIONS_TARGET = 10_000_000
EACH_MIN = 10_000
SEQUENCES, CALLS = 4, 2_500


class Progress(msgspec.Struct):
    sources: str
    seeds_done: int = 0
    seconds: float = 0
    counts: Counts = msgspec.field(default_factory=Counts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove")
    parser.add_argument("--actions", type=int, default=ACTIONS_TARGET, help="stop after so many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new after so long")
    asked = parser.parse_args()
    progress = kept(sources_hash())
    begun, workers = time.monotonic(), os.cpu_count() or 1
    while progress.counts.actions() < asked.actions and time.monotonic() - begun < asked.seconds:
        if not round_of(progress, workers):
            return 1
    speed = progress.counts.actions() / max(progress.seconds, 1)
    sys.stdout.write(f"{progress.counts.table()}\n{speed:,.0f} actions a second on {workers} cores\n")
    return told(progress.counts, asked.actions)


def round_of(progress: Progress, workers: int) -> bool:
    """One run on each core; False where the property was broken, which is then printed with its seed."""
    begun = time.monotonic()
    seeds = range(progress.seeds_done + 1, progress.seeds_done + 1 + workers)
    with ThreadPoolExecutor(workers) as pool:
        runs = list(
            pool.map(lambda seed: run_operator(place_of(seed), seed=seed, sequences=SEQUENCES, calls=CALLS), seeds)
        )
    for seed, run in zip(seeds, runs, strict=True):
        if run.returncode:
            sys.stderr.write(f"seed {seed:#x}\n{run.stdout}{run.stderr}\n")
            return False
        progress.counts.merge(counted(place_of(seed)))
    progress.seeds_done += workers
    progress.seconds += time.monotonic() - begun
    (PLACE / "progress.json").write_bytes(msgspec.json.encode(progress))
    sys.stdout.write(f"{progress.counts.actions():,} actions, {progress.counts.successes():,} of them succeeded\n")
    sys.stdout.flush()
    return True


def told(counts: Counts, actions_min: int) -> int:
    """Zero if enough was done; else what is missing, on the standard error."""
    missing = [f"{actions_min - counts.actions():,} actions"] if counts.actions() < actions_min else []
    if 2 * counts.successes() < counts.actions():
        missing.append("successes in half of the actions")
    each_min = EACH_MIN * min(actions_min, ACTIONS_TARGET) // ACTIONS_TARGET
    missing += [f"tries of {name}" for name in (*ACTIONS, *MARKS.values()) if counts.tried[name] < each_min]
    if missing:
        sys.stderr.write(f"missing: {', '.join(missing)}\n")
    return int(bool(missing))


def kept(sources: str) -> Progress:
    path = PLACE / "progress.json"
    progress = msgspec.json.decode(path.read_bytes(), type=Progress) if path.is_file() else Progress(sources)
    return progress if progress.sources == sources else Progress(sources)


def sources_hash() -> str:
    files = sorted([*(CONTRACTS / "src").rglob("*.sol"), *(CONTRACTS / "test").rglob("*.sol")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def place_of(seed: int) -> Path:
    return PLACE / f"core{seed % (os.cpu_count() or 1)}"


if __name__ == "__main__":
    sys.exit(main())
