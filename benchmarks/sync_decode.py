"""How long from the JSON of a block's Sync logs to the reserves that they tell?

Ours is the line's own road: the node's frame, the table of its logs with every field checked, and the states that the
market's column of pairs reads from it (`headrace.pipeline.market.column`).
The rival is what the ecosystem's own tools make of the least that will do: `json`, and `eth-abi` on the data alone; it
checks nothing else. Both give the same reserves, which is compared first.
"""

import json

from eth_abi.abi import decode

from benchmarks.measure import Answer, Effort, Figure, Goal, interleaved, timed
from benchmarks.pair_market import PairMarket
from headrace.adapters.chains.evm.answer import read_block_logs
from headrace.adapters.chains.evm.frame import decode_frames
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.kernels.log_table import LogTable
from headrace.pipeline.market.column import Column
from headrace.pipeline.market.speakers import Speakers
from headrace.ports.pool import PoolState

_PAIRS = 10_000
_REPEATS = 4
_SYNCS = (100, 1_000)  # drawn, of which some fall on one pair and are made one


def run(effort: Effort) -> Answer:
    figures = tuple(_raced(effort, syncs) for syncs in _SYNCS)
    return Answer(figures, ("ours checks every field, the rival none but the data",))


def _raced(effort: Effort, syncs: int) -> Figure:
    market = PairMarket(_PAIRS, syncs_per_block=syncs)
    ((_, raw),) = market.blocks(1)
    speakers = Speakers({PROTOCOL: market.dex}, market.pools).indexed()
    column = Column(market.dex, PROTOCOL, market.pools, speakers.addresses, is_alone=True)

    def ours() -> list[PoolState | None]:
        table = read_block_logs(decode_frames(raw)[0].result)
        assert isinstance(table, LogTable)
        return column.told(table, speakers.numbers(table)).states

    def theirs() -> list[tuple[int, int]]:
        logs = json.loads(raw)["result"]
        return [decode(["uint112", "uint112"], bytes.fromhex(log["data"][2:])) for log in logs]

    told = [(state.reserve0, state.reserve1) for state in ours() if isinstance(state, UniswapV2State)]
    assert told == theirs(), "both sides read the same reserves"
    mine, rival = interleaved(timed(ours, _REPEATS), timed(theirs, _REPEATS), effort.rounds)
    return Figure(
        f"a Sync log: JSON to reserves, {len(told)} in a block",
        mine / len(told),
        "json + eth-abi",
        rival / len(told),
        effort.rounds * _REPEATS * len(told),
        Goal("faster", 12.0),
    )
