"""Hundreds of seeded lives: crashes between any two calls, lost answers, delays, reorgs, a disk that forgets its tail.

The oracle is the model world of `tests.support.transaction_world`, which knows the rules of nonces and nothing of our
code, and a checker that reads the journal and the model chain from outside.
"""

import asyncio
from collections import Counter

from tests.support.transaction_run import Run, summary

SEEDS = 300
STEPS = 40


async def live(seed: int, counts: Counter[str]) -> None:
    run = Run(seed, counts, knows_memory=True)
    await run.storm(STEPS)
    await run.calm()


async def live_all(counts: Counter[str]) -> None:
    for seed in range(SEEDS):
        try:
            await live(seed, counts)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_no_life_sends_twice_forgets_or_exceeds_a_limit() -> None:
    counts: Counter[str] = Counter()
    asyncio.run(live_all(counts))
    print(summary(counts))  # noqa: T201 - how often each fault was taken
    for name, least in {
        "ended: landed": 500,
        "ended: cancelled": 200,
        "ended: reverted": 50,
        "ended: refused": 100,
        "ended: abandoned": 50,
        "crash before append": 10,
        "crash before sync": 10,
        "crash after append": 10,
        "crash before send": 10,
        "crash after send": 10,
        "crash before sign": 10,
        "tail lost": 50,
        "request lost": 100,
        "answer lost": 100,
        "request delayed": 100,
        "arrived late": 20,
        "refused": 50,
        "nonce too low": 5,
        "replaced": 50,
        "evicted": 50,
        "doomed": 50,
        "reorg": 200,
        "taken back": 50,
        "disk full": 20,
        "deep reorg": 10,
        "halted by a stranger": 3,
        "halted by losses": 5,
        "refused: daily_loss_limit": 20,
        "refused: pool_tripped": 50,
        "tripped": 100,
        "left to another process": 20,
        "explained": 100,
        "not answered yet": 10,
        "cancelled recorded": 200,
        "opened again": 100,
        "refused: pool_in_flight": 50,
        "refused: position_limit": 20,
        "refused: capital_reserved": 20,
    }.items():
        assert counts[name] >= least, f"{name}: {counts[name]}, wanted {least}; {summary(counts)}"
