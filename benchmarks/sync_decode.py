"""How long from the JSON of a block's Sync logs to the reserves that they tell?

Ours is the line's own road: the node's frame, its logs with every field checked and converted, the pair's new state.
The rival is what the ecosystem's own tools make of the least that will do: `json`, and `eth-abi` on the data alone; it
checks nothing else. Both give the same reserves, which is compared first.
"""

import json

from eth_abi.abi import decode

from benchmarks.measure import Answer, Effort, Figure, Goal, interleaved, timed
from benchmarks.pair_market import PairMarket
from headrace.adapters.chains.evm.answer import read_logs
from headrace.adapters.chains.evm.frame import decode_frames
from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State

_PAIRS = 1_000
_REPEATS = 4


def run(effort: Effort) -> Answer:
    market = PairMarket(_PAIRS)
    ((_, raw),) = market.blocks(1)
    before = {state.pool.address: state for state in market.states}
    apply = market.dex.apply

    def ours() -> list[UniswapV2State]:
        return [apply(before[log.address], log) for log in read_logs(decode_frames(raw)[0].result)]

    def theirs() -> list[tuple[int, int]]:
        logs = json.loads(raw)["result"]
        return [decode(["uint112", "uint112"], bytes.fromhex(log["data"][2:])) for log in logs]

    told = [(state.reserve0, state.reserve1) for state in ours()]
    assert told == theirs(), "both sides read the same reserves"
    mine, rival = interleaved(timed(ours, _REPEATS), timed(theirs, _REPEATS), effort.rounds)
    figure = Figure(
        "a Sync log: JSON to reserves",
        mine / len(told),
        "json + eth-abi",
        rival / len(told),
        effort.rounds * _REPEATS * len(told),
        Goal("faster", 12.0),
    )
    return Answer((figure,), (f"{len(told)} logs in a block; ours checks every field, the rival none but the data",))
