"""How long to read 10,000 pools from a node, against the node's own time for it?

The node is the devnet's. Its pools are stubs that answer `getReserves` from their code, so it has as little to do as a
node can have; real pairs, whose reserves are on its disk, only make its share larger. Ours is what the market reads at
its start: addresses to calls, batches, answers to checked states. The rival is the bare exchange of the same frames,
written beforehand and received without being read, as many at a time. Ours can be no faster; the goal says how little
it may add.
"""

import asyncio
import time

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.measure import Answer, Effort, Figure, Goal
from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.frame import Request, encode_batch
from headrace.adapters.chains.evm.hexadecimal import write_bytes
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.adapters.protocols.words import call_data
from headrace.app.clock import SystemClock
from headrace.devnet.anvil import Anvil, AnvilOptions
from headrace.devnet.rpc import Call, Rpc
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.pool import Pool

POOLS = 10_000
_CHAIN_ID = 31_337
_CALLS_AT_ONCE = 1_000
_ROUNDS_MAX = 7  # a round takes a second or two
_FRAME_BYTES_MAX = 64 << 20
_TOKENS = (Address("0x" + "aa" * 20), Address("0x" + "bb" * 20))


def run(effort: Effort, pools: int = POOLS) -> Answer:
    rounds = min(effort.rounds, _ROUNDS_MAX)
    with Anvil.start(AnvilOptions(chain_id=_CHAIN_ID)) as anvil, anvil.connect() as rpc:
        listed = _stubs(rpc, pools)
        ours, rival = asyncio.run(_contest(anvil, listed, rounds))
    figure = Figure(f"read {pools:,} v2 pools, per pool", ours, "bare frames", rival, rounds * pools, Goal("cost", 1.5))
    return Answer((figure,), (f"{pools:,} states, all equal to what the stubs hold",))


def _stubs(rpc: Rpc, count: int) -> tuple[Pool, ...]:
    """Contracts that return two reserves and a time from their own code."""
    pools, calls = [], []
    for number in range(count):
        address = Address(f"0x{0xABCDEF << 96 | number:040x}")
        code = "0x" + "".join(f"7f{word:064x}60{place:02x}52" for place, word in _words(number)) + "60606000f3"
        calls.append(Call("anvil_setCode", (address, code)))
        pools.append(Pool(PoolId(address), address, PROTOCOL, "stubs", _TOKENS, 3_000))
    for start in range(0, count, _CALLS_AT_ONCE):
        rpc.batch(calls[start : start + _CALLS_AT_ONCE])
    rpc.request("evm_mine")
    return tuple(pools)


def _words(number: int) -> tuple[tuple[int, int], ...]:
    return (0x00, 10**18 + number), (0x20, 10**12 + number), (0x40, 1)


async def _contest(anvil: Anvil, pools: tuple[Pool, ...], rounds: int) -> tuple[float, float]:
    options = EvmOptions(url=anvil.ws_url, chain_id=ChainId(_CHAIN_ID), deadline_seconds=60.0)
    dex = UniswapV2({"stubs": 3_000})
    mine: list[float] = []
    bare: list[float] = []
    async with EvmChain(options, SystemClock()) as chain, connect(anvil.ws_url, max_size=_FRAME_BYTES_MAX) as raw:
        block = (await chain.head()).hash
        frames = _frames(pools, block, options.batch_size)
        for _ in range(rounds + 1):
            started = time.perf_counter_ns()
            states = await dex.read(chain, pools, block)
            mine.append((time.perf_counter_ns() - started) / len(pools))
            bare.append(await _exchange(raw, frames, options.batches_at_once) / len(pools))
    assert states == tuple(UniswapV2State(pool, 10**18 + i, 10**12 + i) for i, pool in enumerate(pools))
    return sorted(mine[1:])[rounds // 2], sorted(bare[1:])[rounds // 2]


def _frames(pools: tuple[Pool, ...], block: Hash32, size: int) -> list[str]:
    data = write_bytes(call_data("getReserves()"))
    asked = [
        Request(i, "eth_call", ({"to": pool.address, "data": data}, {"blockHash": block}))
        for i, pool in enumerate(pools)
    ]
    return [encode_batch(asked[start : start + size]).decode() for start in range(0, len(asked), size)]


async def _exchange(raw: ClientConnection, frames: list[str], at_once: int) -> float:
    started, sent = time.perf_counter_ns(), 0
    for done in range(len(frames)):
        while sent < len(frames) and sent - done < at_once:
            await raw.send(frames[sent])
            sent += 1
        await raw.recv()
    return time.perf_counter_ns() - started
