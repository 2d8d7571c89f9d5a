"""How fast is one exact quote of a Uniswap v2 pair? Both sides compute in Python integers."""

import random

from benchmarks.measure import Answer, Effort, Figure, Goal
from benchmarks.quotes import QuoteContest
from benchmarks.rivals.degenbot_process import NAME, VERSION_NOTE, Degenbot
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool

_ETHER = 10**18
_TOKENS = (Address(f"0x{1:040x}"), Address(f"0x{2:040x}"))
_ADDRESS = Address(f"0x{99:040x}")
_PAIR = Pool(PoolId(_ADDRESS), _ADDRESS, PROTOCOL, "pairs", _TOKENS, 3000)
_STATE = UniswapV2State(_PAIR, 8_417 * _ETHER + 12_345, 25_332_119 * 10**6 + 7)
_AMOUNTS = 400


def run(effort: Effort) -> Answer:
    rng = random.Random(1)

    def draw() -> list[int]:
        return [int(_ETHER * 10 ** rng.uniform(-6, 3)) for _ in range(_AMOUNTS)]

    pool = {"reserve0": _STATE.reserve0, "reserve1": _STATE.reserve1, "fee_pips": _PAIR.fee_pips}
    with Degenbot(pool) as rival:
        contest = QuoteContest(UniswapV2({"pairs": 3000}), lambda: _STATE, rival)
        note = contest.agreement(draw(), "v2")
        ours_ns, rival_ns = contest.race(draw, effort.rounds)
    figure = Figure("v2 quote_out", ours_ns, NAME, rival_ns, effort.rounds * _AMOUNTS, Goal("faster", 8.0))
    return Answer((figure,), (note, VERSION_NOTE))
