"""Pending swaps on real routers, decoded before they are mined.

The oracle is what the contracts did: the Swap logs of the mined receipts, read by other code than the decoder.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import msgspec
import pytest
from tests.support.devnet_market import dexes_of, pools_of
from tests.support.newer_routers import deploy_newer_routers, newer_calls
from tests.support.public_calls import PublicCall, public_calls
from tests.support.swap_logs import LogOfSwap, SwapFact, pools_by_address, swap_facts
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.adapters.mempools.node.mempool import NodeMempool
from headrace.devnet.accounts import RIVALS, account_address
from headrace.devnet.driver import Driver
from headrace.devnet.rpc import Call, quantity
from headrace.devnet.world import Devnet
from headrace.model.address import ChainId, Hash32
from headrace.model.pending import PendingTransaction, Visibility
from headrace.model.route import Hop, Route
from headrace.model.swap_call import DecodedCall, SwapCall
from headrace.pipeline.pending.competition import Competition, PoolIndex, competition
from headrace.pipeline.pending.pending_set import PendingEntry, PendingSet, Taken
from headrace.pipeline.pending.watch import PendingWatch

BLOCKS = 6
SENDER = account_address(RIVALS[-1])
_GAS = hex(900_000)


class Receipt(msgspec.Struct, rename="camel"):
    transaction_hash: Hash32
    status: str
    logs: list[LogOfSwap]


class Watched(msgspec.Struct):
    devnet: Devnet
    watch: PendingWatch
    index: PoolIndex
    news: asyncio.Event

    @property
    def pending(self) -> PendingSet:
        assert isinstance(self.watch.pending, PendingSet)
        return self.watch.pending

    async def until(self, is_there: Callable[[PendingSet], bool]) -> list[PendingEntry]:
        async with asyncio.timeout(20):
            while not is_there(self.pending):
                self.news.clear()
                await self.news.wait()
        return list(self.pending)

    async def mine(self) -> dict[Hash32, Receipt]:
        rpc = self.devnet.rpc
        await asyncio.to_thread(rpc.request, "evm_mine")
        answer = await asyncio.to_thread(rpc.request, "eth_getBlockReceipts", "latest")
        await self.watch.on_head(quantity(rpc.request("eth_blockNumber")))
        return {one.transaction_hash: one for one in msgspec.convert(answer, list[Receipt])}


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet.start(5) as running:
        yield running


@asynccontextmanager
async def watching(devnet: Devnet, *, is_certain: bool = True) -> AsyncIterator[Watched]:
    """With `is_certain` false no router is configured, and one venue of each family: then only one pool is possible."""
    options = EvmOptions(url=devnet.anvil.ws_url, chain_id=ChainId(devnet.market.chain_id))
    async with EvmChain(options, WallClock()) as chain:
        head = await chain.head()
        pools = await pools_of(devnet.market, dexes_of(devnet.market), chain, head.hash)
    routers = {exchange.router: exchange.name for exchange in devnet.market.exchanges if is_certain}
    known = [pool for pool in pools if is_certain or pool.venue == pool.protocol]
    index = PoolIndex(known, routers, devnet.market.wrapped_native)
    mempool = NodeMempool(options, WallClock(), Visibility(is_visible=True))
    news = asyncio.Event()

    def decode(transaction: PendingTransaction) -> DecodedCall:
        news.set()  # whoever waits wakes up when it has been added
        return decode_call(transaction)

    watch = PendingWatch(mempool, decode, index, head.number)
    task = asyncio.create_task(watch.follow_transactions())
    try:
        await asyncio.wait_for(watch.listening.wait(), 20)
        yield Watched(devnet, watch, index, news)
        counters = mempool.counters
        assert (counters.malformed, counters.foreign, counters.dropped, watch.gaps) == (0, 0, 0, 0)
        assert watch.blocks_failed == 0
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await mempool.close()


def contains(transaction: Hash32, held: PendingSet) -> bool:
    return transaction in held


def holds(count: int, held: PendingSet) -> bool:
    return len(held) >= count


def all_agree(call: DecodedCall, facts: list[SwapFact], index: PoolIndex) -> None:
    """Each swap against its own logs, which stand in the order of the calls."""
    assert len(facts) == sum(len(swap.hops) for swap in call.swaps), "a swap not decoded, or one that is none"
    start = 0
    for swap in call.swaps:
        agrees(swap, facts[start : start + len(swap.hops)], index)
        start += len(swap.hops)


def _is_caught(swap: SwapCall, facts: list[SwapFact], index: PoolIndex) -> bool:
    """The comparison bites: another amount, direction or kind is not what the contracts did."""
    turned = tuple(msgspec.structs.replace(h, token_in=h.token_out, token_out=h.token_in) for h in swap.hops)
    mutants = (
        msgspec.structs.replace(swap, hops=turned[::-1]),
        msgspec.structs.replace(swap, amount_in_units=1),
        msgspec.structs.replace(swap, is_exact_in=not swap.is_exact_in),
    )
    for mutant in mutants:
        with pytest.raises((AssertionError, KeyError)):
            agrees(mutant, facts, index)
    return True


def agrees(swap: SwapCall, facts: list[SwapFact], index: PoolIndex) -> None:
    """What was decoded is what the contracts did."""
    touches = index.touches(swap)
    wanted = {(touch.pool, touch.token_in, touch.token_out) for touch in touches}
    by_way: dict[tuple[str, str | None, str | None], SwapFact] = {(f.pool, f.token_in, f.token_out): f for f in facts}
    mine = {way: fact for way, fact in by_way.items() if way in wanted}
    assert len(touches) == len(swap.hops) == len(mine)
    first, last = (mine[t.pool, t.token_in, t.token_out] for t in (touches[0], touches[-1]))
    paid_max, bought = swap.amount_in_units, swap.amount_out_units
    assert bought is not None or paid_max is not None
    if paid_max is None:  # a router's balance: only the newer ones, or what a pair has been sent
        assert not touches[0].is_certain or swap.hops[0].pool is not None
    elif swap.is_exact_in:
        assert first.amount_in == paid_max or (swap.sqrt_price_limit_x96 and first.amount_in < paid_max)
    if swap.is_exact_in:
        assert last.amount_out >= (bought or 0)
    else:
        assert last.amount_out == bought
        assert paid_max is None or first.amount_in <= paid_max
    is_unwrapped = "ForETH" in swap.function or "ForExactETH" in swap.function  # the router gets it and unwraps
    if swap.recipient is not None and last.recipient is not None and not is_unwrapped:
        assert last.recipient == swap.recipient


def test_every_swap_of_the_traders_is_decoded_to_what_it_then_does(devnet: Devnet) -> None:
    reached = asyncio.run(_follow_traders(devnet))
    print(dict(reached))  # noqa: T201 - how often each class was reached is part of the result
    assert reached["reverted"] < reached["swap"] / 3
    assert min(reached[protocol] for protocol in ("uniswap_v2", "uniswap_v3", "balancer_v2")) >= 5
    assert reached["mutant"] == reached["swap"] >= 40


async def _follow_traders(devnet: Devnet) -> Counter[str]:
    reached: Counter[str] = Counter()
    pools = pools_by_address(devnet.market)
    driver = Driver(devnet, 5)
    async with watching(devnet) as watched:
        for _ in range(BLOCKS):
            await asyncio.to_thread(driver._fill_mempool)
            status = devnet.rpc.request("txpool_status")
            assert isinstance(status, dict)
            entries = await watched.until(partial(holds, quantity(status["pending"])))
            receipts = await watched.mine()
            await asyncio.to_thread(driver._look_back)
            assert {entry.hash for entry in entries} >= set(receipts)
            for entry in entries:
                receipt = receipts.get(entry.hash)
                if receipt is None or quantity(receipt.status) == 0:
                    reached["reverted"] += 1
                    continue
                facts = swap_facts(receipt.logs, pools)
                all_agree(entry.call, facts, watched.index)
                reached["mutant"] += sum(_is_caught(swap, facts, watched.index) for swap in entry.call.swaps)
                reached.update(swap.hops[0].protocol for swap in entry.call.swaps)
                reached["swap" if facts else "something else"] += 1
            assert not set(receipts) & {entry.hash for entry in watched.pending}
    return reached


def test_every_function_of_the_public_routers_is_decoded_to_what_it_then_does(devnet: Devnet) -> None:
    asyncio.run(_call_all(devnet, public_calls(devnet.market, SENDER)))


async def _call_all(devnet: Devnet, calls: list[PublicCall], *, is_certain: bool = True) -> None:
    pools = pools_by_address(devnet.market)
    devnet.rpc.request("anvil_dropAllTransactions")
    async with watching(devnet, is_certain=is_certain) as watched:
        hashes = _send(devnet, calls)
        entries = {entry.hash: entry for entry in await watched.until(partial(holds, len(calls)))}
        route = _a_route(watched.index, [entries[one] for one in hashes])
        rivals = watched.watch.competition(route)
        assert rivals == competition(route, watched.pending, watched.index)  # all of them, one by one
        assert isinstance(rivals, Competition)
        assert rivals.same_direction >= 1
        assert rivals.transactions >= rivals.same_direction
        assert rivals.certain == (rivals.transactions if is_certain else 0)
        receipts = await watched.mine()
        for call, tx_hash in zip(calls, hashes, strict=True):
            assert quantity(receipts[tx_hash].status) == 1, f"{call.name} reverted: the test's own mistake"
            decoded = entries[tx_hash].call
            facts = swap_facts(receipts[tx_hash].logs, pools)
            assert (decoded.flaw, len(decoded.swaps)) == ("", call.swaps), call.name
            all_agree(decoded, facts, watched.index)
        assert len(watched.pending) == 0
        assert watched.pending.counters.mined == len(calls)


def test_every_swap_of_the_newer_routers_is_decoded_to_what_it_then_does(devnet: Devnet) -> None:
    routers = deploy_newer_routers(devnet, SENDER)
    asyncio.run(_call_all(devnet, newer_calls(devnet.market, routers, SENDER), is_certain=False))


def test_a_replacement_supersedes_and_goes_when_it_is_mined(devnet: Devnet) -> None:
    asyncio.run(_replace(devnet))


async def _replace(devnet: Devnet) -> None:
    call = public_calls(devnet.market, SENDER)[0]
    devnet.rpc.request("anvil_dropAllTransactions")
    async with watching(devnet) as watched:
        nonce = quantity(devnet.rpc.request("eth_getTransactionCount", SENDER, "latest"))
        for factor in (1, 2):
            (one,) = _send(devnet, [call], nonce=nonce, factor=factor)
            await watched.until(partial(contains, one))
        assert [entry.hash for entry in watched.pending] == [one]
        assert watched.pending.counters.taken == {Taken.NEW: 1, Taken.REPLACING: 1}
        assert set(await watched.mine()) == {one}
        assert len(watched.pending) == 0


def _send(devnet: Devnet, calls: list[PublicCall], nonce: int | None = None, factor: int = 1) -> list[Hash32]:
    first = quantity(devnet.rpc.request("eth_getTransactionCount", SENDER, "latest")) if nonce is None else nonce
    answers = devnet.rpc.batch(
        Call(
            "eth_sendTransaction",
            (
                {
                    "from": SENDER,
                    "to": call.to,
                    "data": call.data,
                    "value": hex(call.value_wei),
                    "nonce": hex(first + i),
                    "gas": _GAS,
                    "maxFeePerGas": hex(factor * 500 * 10**9),
                    "maxPriorityFeePerGas": hex(factor * 10**9),
                },
            ),
        )
        for i, call in enumerate(calls)
    )
    return [Hash32(str(answer)) for answer in answers]


def _a_route(index: PoolIndex, entries: list[PendingEntry]) -> Route:
    touch = index.touches(entries[0].call.swaps[0])[0]
    assert touch.token_in is not None
    assert touch.token_out is not None
    return Route((Hop(touch.pool, touch.token_in, touch.token_out),))
