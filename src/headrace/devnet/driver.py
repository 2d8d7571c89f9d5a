"""The driver lets time pass: per block it moves the fair prices, fills the mempool, waits for the agent, and mines.

In the stepped mode a block comes when the agent has finished with the one before, and the same seed gives the same
block hashes: timestamps are fixed, fees are distinct so that the order never depends on arrival, and signatures are
deterministic. In the clock mode a block comes every so many seconds and carries the time of day.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import msgspec

from headrace.devnet.accounts import MAKER, RIVALS, TRADERS, account_address
from headrace.devnet.deployer import Log
from headrace.devnet.mirror import Mirror
from headrace.devnet.prices import FairPrices
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.recipe.outline import TOKENS
from headrace.devnet.rivals import Rivals
from headrace.devnet.rpc import Call, Rpc, quantity
from headrace.devnet.swaps import Draft
from headrace.devnet.traders import Traders
from headrace.devnet.upkeep import Demand, FeedKeeper
from headrace.devnet.valuation import Valuation
from headrace.devnet.world import Devnet
from headrace.model.address import Address, Hash32

AgentFinished = Callable[[int], Awaitable[None]]
_FEE_GRAIN_WEI = 10_000  # the last digits of a fee number the transactions of a block


class BlockReport(msgspec.Struct, frozen=True):
    """A block the driver mined; failures are reverted swaps, `fair_usd` are the prices rivals went by."""

    number: int
    hash: Hash32
    timestamp: int
    base_fee_wei: int
    gas_used: int
    trades: int
    trades_failed: int
    rival_trades: int
    rival_trades_failed: int
    fair_usd: dict[str, float]


class _Head(msgspec.Struct, frozen=True, rename={"base_fee": "baseFeePerGas", "gas_used": "gasUsed"}):
    number: str
    hash: Hash32
    timestamp: str
    base_fee: str
    gas_used: str


class _Receipt(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    status: str
    sender: Address
    logs: tuple[Log, ...]


class _FeeHistory(msgspec.Struct, frozen=True, rename={"base_fees": "baseFeePerGas"}):
    base_fees: tuple[str, ...]


async def no_agent(block: int) -> None:
    """An agent that has finished with every block at once."""


class Driver:
    """Drives one devnet; the only one that mines on it."""

    def __init__(self, devnet: Devnet, seed: int) -> None:
        self._rpc = devnet.rpc
        self.mirror = Mirror(devnet.rpc, devnet.market)
        self.prices = FairPrices(TOKENS, seed)
        self._market = devnet.market
        self._traders = Traders(devnet.market, self.mirror, seed)
        self._rivals = Rivals(self.mirror, seed)
        self._demand = Demand(seed)
        self._feeds = FeedKeeper(devnet.market, self.prices.usd)
        self._nonces = _fresh_nonces(devnet.rpc)
        self._head = self._latest()

    @property
    def block(self) -> int:
        """Number of the latest block."""
        return quantity(self._head.number)

    @property
    def block_hash(self) -> Hash32:
        """Hash of the latest block."""
        return self._head.hash

    async def step(self, agent_finished: AgentFinished = no_agent) -> BlockReport:
        """Mine one block, 12 seconds of the chain's time after the one before.

        Args:
            agent_finished: gets the number of the block just mined, and returns when the agent has sent what it wants
                in the next one. Until then the driver rests, so that the agent has the machine and the node to itself.

        Raises:
            DevnetError: the chain does not answer.
        """
        return await self._advance(agent_finished, lambda timestamp: timestamp + BLOCK_SECONDS)

    async def run(self, blocks: int, agent_finished: AgentFinished = no_agent) -> list[BlockReport]:
        """Mine that many blocks, stepped.

        Raises:
            DevnetError: the chain does not answer.
        """
        return [await self.step(agent_finished) for _ in range(blocks)]

    async def run_clock(self, block_time_seconds: float, is_over: asyncio.Event) -> None:
        """Mine a block every `block_time_seconds` until `is_over` is set.

        Raises:
            DevnetError: the chain does not answer.
        """
        due = time.monotonic()
        while not is_over.is_set():
            due = max(due + block_time_seconds, time.monotonic())
            await self._advance(_wait_until(due, is_over), lambda timestamp: max(int(time.time()), timestamp + 1))

    async def _advance(self, agent_finished: AgentFinished, next_timestamp: Callable[[int], int]) -> BlockReport:
        await asyncio.to_thread(self._fill_mempool)
        await asyncio.to_thread(self._mine, next_timestamp(quantity(self._head.timestamp)))
        await agent_finished(self.block + 1)
        return await asyncio.to_thread(self._look_back)

    def _fill_mempool(self) -> None:
        self.prices.advance()
        usd = self.prices.usd
        valuation, base_fee_wei = Valuation(self._market, usd), self._next_base_fee_wei()
        swaps = self._traders.drafts(valuation, base_fee_wei) + self._rivals.drafts(valuation, base_fee_wei)
        feeds = self._feeds.drafts(self.block + 1, usd, base_fee_wei)
        self._send(swaps + feeds + self._demand.drafts(base_fee_wei, swaps + feeds))

    def _send(self, drafts: list[Draft]) -> None:
        # anvil drops a transaction that outbids its sender's one before
        ordered = sorted(drafts, key=lambda draft: -draft.bid.max_fee_wei)
        serials = range(len(ordered), 0, -1)
        self._rpc.batch(
            Call("eth_sendTransaction", (self._transaction(draft, serial),))
            for draft, serial in zip(ordered, serials, strict=True)
        )

    def _transaction(self, draft: Draft, serial: int) -> dict[str, str]:
        nonce = self._nonces[draft.account]
        self._nonces[draft.account] += 1
        fee_wei = (draft.bid.max_fee_wei // _FEE_GRAIN_WEI + 1) * _FEE_GRAIN_WEI + serial
        fields = {
            "from": account_address(draft.account),
            "nonce": hex(nonce),
            "data": draft.data,
            "gas": hex(draft.gas),
            "maxFeePerGas": hex(fee_wei),
            "maxPriorityFeePerGas": hex(draft.bid.tip_wei),
        }
        return fields if draft.to is None else {**fields, "to": draft.to}

    def _mine(self, timestamp: int) -> None:
        self._rpc.request("evm_mine", hex(timestamp))

    def _look_back(self) -> BlockReport:
        reads = [Call("eth_getBlockReceipts", ("latest",)), Call("eth_getBlockByNumber", ("latest", False))]
        answers = self._rpc.batch(reads + [_count(index) for index in self._nonces])
        receipts = msgspec.convert(answers[0], list[_Receipt])
        self._head = msgspec.convert(answers[1], _Head)
        self._settle_nonces(answers[2:])
        self.mirror.apply(log for receipt in receipts for log in receipt.logs)
        return self._report(receipts)

    def _settle_nonces(self, counts: list[object]) -> None:
        for (index, nonce), count in zip(self._nonces.items(), counts, strict=True):
            if quantity(count) != nonce:  # a crowded block left some out: they are withdrawn
                self._rpc.request("anvil_removePoolTransactions", account_address(index))
                self._nonces[index] = quantity(count)

    def _report(self, receipts: list[_Receipt]) -> BlockReport:
        failures: dict[Address, list[bool]] = defaultdict(list)
        for receipt in receipts:
            failures[receipt.sender].append(quantity(receipt.status) == 0)
        trades = [failed for index in TRADERS for failed in failures[account_address(index)]]
        rival_trades = [failed for index in RIVALS for failed in failures[account_address(index)]]
        return BlockReport(
            number=self.block,
            hash=self._head.hash,
            timestamp=quantity(self._head.timestamp),
            base_fee_wei=quantity(self._head.base_fee),
            gas_used=quantity(self._head.gas_used),
            trades=len(trades),
            trades_failed=sum(trades),
            rival_trades=len(rival_trades),
            rival_trades_failed=sum(rival_trades),
            fair_usd=self.prices.usd,
        )

    def _latest(self) -> _Head:
        return msgspec.convert(self._rpc.request("eth_getBlockByNumber", "latest", False), _Head)

    def _next_base_fee_wei(self) -> int:
        history = msgspec.convert(self._rpc.request("eth_feeHistory", "0x1", "latest", []), _FeeHistory)
        return quantity(history.base_fees[-1])


def _count(index: int) -> Call:
    return Call("eth_getTransactionCount", (account_address(index), "latest"))


def _fresh_nonces(rpc: Rpc) -> dict[int, int]:
    senders = (MAKER, *TRADERS, *RIVALS)
    rpc.batch(Call("anvil_removePoolTransactions", (account_address(index),)) for index in senders)
    return dict(zip(senders, map(quantity, rpc.batch(_count(index) for index in senders)), strict=True))


def _wait_until(due: float, is_over: asyncio.Event) -> AgentFinished:
    async def wait(_block: int) -> None:
        try:
            await asyncio.wait_for(is_over.wait(), max(0.0, due - time.monotonic()))
        except TimeoutError:
            return

    return wait
