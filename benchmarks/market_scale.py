"""Do 100,000 pools fit in 1 GB, and does applying 1,000 changed ones cost less than reading their logs' JSON?

Applying is the market's own work: a block's logs to new states, what they replaced kept for a rollback, and a snapshot
of all pools. Reading is what must come before it: by the ecosystem's own tools, `json` and `eth-abi`; by `json` alone,
which leaves text; and, harder to beat, by our own reader, which checks every field and leaves a table of the logs.
Renewing the doubts about the pools that a block changed is set beside the same in a market of a tenth of the size: it
must not grow with the market. Memory is the most that was ever resident in a process of its own that holds the market,
the 64 blocks that can be rolled back with 1,000 changed pools each, a snapshot, and the search's graph of all of them;
Python, numpy and numba are included.
"""

import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from eth_abi.abi import decode

from benchmarks.measure import Answer, Effort, Figure, Goal, interleaved
from benchmarks.pair_market import PairMarket
from headrace.adapters.chains.evm.answer import read_block_logs
from headrace.adapters.chains.evm.frame import decode_frames
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL
from headrace.model.block import BlockHeader
from headrace.pipeline.market.market import DEPTH_DEFAULT, Market
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.search.graph import SearchGraph

POOLS = 100_000
SYNCS = 1_290  # of which about 1,000 and no fewer fall on different pools
_RESIDENT_MAX = 1 << 30
_MEGABYTE = 1 << 20


def run(effort: Effort, pools: int = POOLS) -> Answer:
    market, blocks = _opened(pools, 3 * (effort.rounds + 2))
    contest = _Contest(market, blocks)
    gc.collect()
    gc.freeze()  # as the agent does when it begins
    try:
        contests = {
            "json + eth-abi read their logs": interleaved(contest.apply, contest.read_plainly, effort.rounds),
            "json alone": interleaved(contest.apply, contest.read_json, effort.rounds),
            "our reader their logs": interleaved(contest.apply, contest.read, effort.rounds),
        }
    finally:
        gc.unfreeze()
    what = f"apply {min(contest.changed)}+ changed pools of {pools:,}, per block"
    figures = [
        Figure(what, ours, rival, reading, effort.rounds, Goal("cost", 1.0))
        for rival, (ours, reading) in contests.items()
    ]
    figures.append(_screened(effort, pools))
    resident = _resident_bytes(pools)
    verdict = "met" if resident <= _RESIDENT_MAX else "MISSED"
    note = (
        f"{pools:,} pools with {DEPTH_DEFAULT} blocks to roll back and the search's graph: {resident / _MEGABYTE:.0f} "
        f"MB resident at most (goal <= {_RESIDENT_MAX // _MEGABYTE} MB: {verdict})"
    )
    return Answer(tuple(figures), (note,))


class _Contest:
    """One block after the other: applied by us, then read again by the rival."""

    def __init__(self, market: Market, blocks: list[tuple[BlockHeader, bytes]]) -> None:
        self._market = market
        self._blocks = iter(blocks)
        self._raw = b""
        self.changed: list[int] = []

    def apply(self) -> float:
        header, self._raw = next(self._blocks)
        logs = read_block_logs(decode_frames(self._raw)[0].result)
        started = time.perf_counter_ns()
        snapshot = self._market.apply(header, logs, 0)
        spent = time.perf_counter_ns() - started
        self.changed.append(len(snapshot.changed))
        return spent

    def read(self) -> float:
        started = time.perf_counter_ns()
        read_block_logs(decode_frames(self._raw)[0].result)
        return time.perf_counter_ns() - started

    def read_json(self) -> float:
        started = time.perf_counter_ns()
        json.loads(self._raw)
        return time.perf_counter_ns() - started

    def read_plainly(self) -> float:
        started = time.perf_counter_ns()
        for log in json.loads(self._raw)["result"]:
            decode(["uint112", "uint112"], bytes.fromhex(log["data"][2:]))
        return time.perf_counter_ns() - started


def _screened(effort: Effort, pools: int) -> Figure:
    few = max(pools // 10, 1)
    ours, rival = (_Screening(count, effort.rounds) for count in (pools, few))
    spent = interleaved(ours.renew, rival.renew, effort.rounds)
    what = f"doubts about a block's changed pools of {pools:,}"
    return Figure(what, spent[0], f"of {few:,}", spent[1], effort.rounds, Goal("cost", 2.0))


class _Screening:
    """One block after the other: what it changed is measured, and the snapshot handed out."""

    def __init__(self, pools: int, rounds: int) -> None:
        made = PairMarket(pools, syncs_per_block=SYNCS)
        self._market = made.open()
        self._blocks = iter(made.blocks(rounds + 2))
        self._screen = Screen(made.pools, {PROTOCOL: made.dex})
        self._screen.screened(self._market.snapshot(0))

    def renew(self) -> float:
        header, raw = next(self._blocks)
        snapshot = self._market.apply(header, read_block_logs(decode_frames(raw)[0].result), 0)
        started = time.perf_counter_ns()
        self._screen.screened(snapshot)
        return time.perf_counter_ns() - started


def _opened(pools: int, blocks: int) -> tuple[Market, list[tuple[BlockHeader, bytes]]]:
    made = PairMarket(pools, syncs_per_block=SYNCS)
    market = made.open()
    market.snapshot(0)
    return market, made.blocks(blocks)


def _resident_bytes(pools: int) -> int:
    command = [sys.executable, "-m", "benchmarks.market_scale", str(pools)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    return int(done.stdout)


def main(pools: int) -> None:
    """Hold a market of so many pools and print what it takes at most, in bytes."""
    made = PairMarket(pools, syncs_per_block=SYNCS)
    market = made.open()
    graph = SearchGraph(made.pools, {PROTOCOL: made.dex})
    for header, raw in made.blocks(DEPTH_DEFAULT):
        graph.update(market.apply(header, read_block_logs(decode_frames(raw)[0].result), 0))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]))
