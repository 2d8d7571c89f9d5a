"""How long from the raw bytes of a block's logs to the bytes of a signed transaction, at 10,000 pools?

Ours is the line's own path without the node: JSON decoded and checked against the header's bloom, market applied,
cycles searched and ranked, every one of them validated in integers, the best planned, its calldata decoded again and
compared, signed. Rehearsal and journal wait for a node and a disk; `devnet_latency` has them.

The rival is what the ecosystem's own tools make of the same task: `json` and `eth-abi` before the search, `eth-account`
after it. Search, validation and plan are ours in both, and the rival checks no bloom and compares no calldata.
"""

import gc
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

import msgspec
from eth_abi.abi import decode
from eth_account import Account as EthAccount

from benchmarks.measure import Answer, Effort, Figure, Goal, duration, percentile
from benchmarks.pair_market import CHAIN, PairMarket
from headrace.adapters.chains.evm.answer import read_block_logs
from headrace.adapters.chains.evm.frame import decode_frames
from headrace.adapters.protocols.uniswap_v2.logs import SYNC
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import Address, checksum
from headrace.model.block import BlockHeader, next_block
from headrace.model.fees import FeePolicy
from headrace.model.opportunity import Plan, Validated
from headrace.model.refusal import Refusal
from headrace.model.snapshot import Snapshot
from headrace.model.transaction import UnsignedTransaction
from headrace.pipeline.feed.completeness import require_complete
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.comparison import difference
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.search.ranking import ranked
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.validator import Thresholds, Validator
from headrace.ports.oracle import Price
from headrace.ports.pool import PoolState
from headrace.ports.strategy import StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage
from headrace.strategies.triangular import TriangularArbitrage

_RIVAL = "json + eth-abi + eth-account"
_KEY = b"\x11" * 32
_EXECUTOR = Address("0x" + "ec" * 20)
_GWEI = 10**9
_GAS_LIMIT = 400_000
_BLOCK_SECONDS = 12
_WARM_UP_BLOCKS = 5
_BLOCKS_PER_ROUND = 10
Lap = Callable[[str], None]


class Laps:
    """Time spent in each stage, block by block; totals are of blocks that ended in a signature."""

    def __init__(self) -> None:
        self.stages: dict[str, list[int]] = defaultdict(list)
        self.totals: list[int] = []
        self.blocks = 0
        self._started = self._last = 0

    def start(self) -> None:
        self._started = self._last = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        now = time.perf_counter_ns()
        self.stages[stage].append(now - self._last)
        self._last = now

    def stop(self, *, is_signed: bool) -> None:
        if is_signed:
            self.totals.append(self._last - self._started)
        self.blocks += 1

    def shares(self) -> str:
        parts = {stage: median(times) for stage, times in self.stages.items()}
        whole = sum(parts.values())
        return ", ".join(f"{stage} {duration(ns)} ({ns / whole:.0%})" for stage, ns in parts.items())


class _Prices:
    """Fixed dollar prices of the hubs."""

    def __init__(self, market: PairMarket) -> None:
        hubs = zip(market.tokens[:4], market.usd[:4], strict=True)
        self._usd_pico = {token.address: int(usd) * 10**12 for token, usd in hubs}

    def price(self, token: Address, now: int) -> Price | None:
        return Price(self._usd_pico[token], now) if token in self._usd_pico else None


class _NoMoney:
    """A treasury without capital: flash swaps pay."""

    def available_units(self, token: Address) -> int:
        del token
        return 0


class _Path:
    """From a snapshot to a plan: what both contenders share."""

    def __init__(self, market: PairMarket) -> None:
        self.dexes, hubs = {PROTOCOL: market.dex}, tuple(token.address for token in market.tokens[:4])
        self.signer = KeystoreSigner(Hidden(_KEY))
        self._account = Account(OWN_ACCOUNT, CHAIN, self.signer.address, _EXECUTOR)
        self._graph = SearchGraph(market.pools, self.dexes)
        told = StrategyConfig(0, hubs)
        self._strategies = (SpatialArbitrage(told), TriangularArbitrage(told))
        self._oracle = _Prices(market)
        self._validator = Validator(
            account=self._account,
            thresholds=Thresholds(1_000_000, 10**11, 100 * _GWEI, _GWEI, 2),
            wrapped_native=hubs[0],
            dexes=self.dexes,
            oracle=self._oracle,
            funding=FundingDesk(_NoMoney(), (), self.dexes),
        )
        self._planner = Planner(self.dexes, FeePolicy(_GWEI, 100 * _GWEI))
        self.found = 0

    def plan(self, snapshot: Snapshot[PoolState], lap: Lap) -> Plan | None:
        """The best plan of a block."""
        self._graph.update(snapshot)
        found = [o for strategy in self._strategies for o in strategy.scan(snapshot, self._graph)]
        starts = {o.route.token_in for o in found}
        prices = {t: p.usd_pico for t in starts if (p := self._oracle.price(t, 0)) is not None}
        ordered = ranked(found, snapshot.tokens, prices.get)
        lap("search")
        at = next_block(snapshot.header, _BLOCK_SECONDS)
        verdicts = [self._validator.validate(o, snapshot, at) for o in ordered]
        valid = [verdict for verdict in verdicts if not isinstance(verdict, Refusal)]
        lap("validate")
        self.found += len(found)
        if not valid:
            return None
        return self._planner.plan(max(valid, key=_net_wei), snapshot)


class Ours:
    """The line's own decoding, market and signing."""

    def __init__(self, market: PairMarket) -> None:
        self.path = _Path(market)
        self.laps = Laps()
        self._market = market.open()
        self.path.plan(self._market.snapshot(0), self.laps.lap)
        self.laps.stages.clear()

    def take(self, header: BlockHeader, raw: bytes) -> bytes | None:
        """Signed bytes, where the block offers anything."""
        laps = self.laps
        laps.start()
        logs = read_block_logs(decode_frames(raw)[0].result)
        laps.lap("decode")
        require_complete(header, logs)
        laps.lap("bloom")
        snapshot = self._market.apply(header, logs, 0)
        laps.lap("market")
        plan = self.path.plan(snapshot, laps.lap)
        signed = None if plan is None else self._signed(plan, snapshot)
        laps.stop(is_signed=signed is not None)
        return signed

    def _signed(self, plan: Plan, snapshot: Snapshot[PoolState]) -> bytes:
        transaction = _limited(plan.transaction)
        assert difference(transaction, plan.validated, snapshot, self.path.dexes, 100 * _GWEI) is None
        self.laps.lap("plan and compare")
        raw = self.path.signer.sign(transaction, 7).raw
        self.laps.lap("sign")
        return raw


class Theirs:
    """The ecosystem's tools around the same search."""

    def __init__(self, market: PairMarket) -> None:
        self.path = _Path(market)
        self.laps = Laps()
        self._opened = market.open().snapshot(0)
        self._states = list(market.states)
        self._signer = EthAccount.from_key(_KEY)
        self.path.plan(self._opened, self.laps.lap)
        self.laps.stages.clear()

    def take(self, header: BlockHeader, raw: bytes) -> bytes | None:
        """Signed bytes, where the block offers anything."""
        laps = self.laps
        laps.start()
        changed = []
        for log in json.loads(raw)["result"]:
            index = self._opened.index_of.get(log["address"])
            if index is not None and log["topics"][0] == SYNC:
                reserve0, reserve1 = decode(["uint112", "uint112"], bytes.fromhex(log["data"][2:]))
                self._states[index] = UniswapV2State(self._opened.pools[index], reserve0, reserve1)
                changed.append(index)
        snapshot = self._snapshot(header, changed)
        laps.lap("decode")
        plan = self.path.plan(snapshot, laps.lap)
        signed = None if plan is None else self._signed(plan)
        laps.stop(is_signed=signed is not None)
        return signed

    def _snapshot(self, header: BlockHeader, changed: Sequence[int]) -> Snapshot[PoolState]:
        return Snapshot(
            header=header,
            announced_ns=0,
            pools=self._opened.pools,
            states=tuple(self._states),
            index_of=self._opened.index_of,
            tokens=self._opened.tokens,
            changed=tuple(sorted(changed)),
        )

    def _signed(self, plan: Plan) -> bytes:
        one = _limited(plan.transaction)
        fields = {
            "type": 2,
            "chainId": one.chain_id,
            "nonce": 7,
            "to": checksum(one.to),
            "value": one.value_wei,
            "data": one.data,
            "gas": one.gas_limit,
            "maxFeePerGas": one.max_fee_wei,
            "maxPriorityFeePerGas": one.priority_fee_wei,
        }
        raw = bytes(self._signer.sign_transaction(fields).raw_transaction)
        self.laps.lap("sign")
        return raw


def run(effort: Effort, pairs: int = 10_000) -> Answer:
    market = PairMarket(pairs)
    ours, theirs = Ours(market), Theirs(market)
    blocks = market.blocks(_WARM_UP_BLOCKS + effort.rounds * _BLOCKS_PER_ROUND)
    gc.collect()
    gc.freeze()  # 10,000 pools are no garbage: both sides are spared walking them
    try:
        for at, (header, raw) in enumerate(blocks):
            if at == _WARM_UP_BLOCKS:
                ours.laps, theirs.laps, ours.path.found = Laps(), Laps(), 0
            signed = ours.take(header, raw)
            assert signed == theirs.take(header, raw), f"block {header.number} is signed differently"
    finally:
        gc.unfreeze()
    return _answer(ours, theirs)


def _answer(ours: Ours, theirs: Theirs) -> Answer:
    mine, rival, n = ours.laps.totals, theirs.laps.totals, len(ours.laps.totals)
    what = "100 raw Sync logs to signed bytes"
    figures = (
        Figure(f"{what}, p50", percentile(mine, 50), _RIVAL, percentile(rival, 50), n, Goal("faster", 1.0)),
        Figure(f"{what}, p99", percentile(mine, 99), _RIVAL, percentile(rival, 99), n, Goal("faster", 1.0)),
    )
    notes = (
        f"{n} of {ours.laps.blocks} blocks offered a trade, both sides signed the same bytes",
        f"{ours.path.found} opportunities were validated on each side",
        f"ours: {ours.laps.shares()}",
        f"rival: {theirs.laps.shares()}",
    )
    return Answer(figures, notes)


def _limited(transaction: UnsignedTransaction) -> UnsignedTransaction:
    return msgspec.structs.replace(transaction, gas_limit=_GAS_LIMIT)


def _net_wei(validated: Validated) -> int:
    return validated.profit_native_wei - validated.gas_estimate * validated.context.base_fee_wei
