"""A small market of Uniswap v2 pairs with states written by hand; protocol, search and validation are the real ones."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.account import OWN_ACCOUNT, Account, Scope
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.executor_plan import Funding
from headrace.model.opportunity import Opportunity
from headrace.model.pool import Pool, ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.model.token import Token
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.validator import Thresholds, Validator
from headrace.ports.chain import Chain
from headrace.ports.oracle import Price
from headrace.ports.pool import DEX, PoolState
from headrace.ports.strategy import StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage

CHAIN = ChainId(31337)
WETH = Token(CHAIN, Address("0x" + "aa" * 20), "WETH", 18)
USDC = Token(CHAIN, Address("0x" + "bb" * 20), "USDC", 6)
DAI = Token(CHAIN, Address("0x" + "cc" * 20), "DAI", 18)
TOKENS = {token.address: token for token in (WETH, USDC, DAI)}
ACCOUNT = Account(OWN_ACCOUNT, CHAIN, Address("0x" + "01" * 20), Address("0x" + "02" * 20))
V2 = UniswapV2({"a": 3000, "b": 3000})
DEXES = {ProtocolId("uniswap_v2"): V2}
GWEI = 10**9
ETHER = 10**18
USD_PRICES = {WETH.address: 3000 * 10**12, USDC.address: 10**12, DAI.address: 10**12}


def header(number: int = 100, base_fee_wei: int = 10 * GWEI) -> BlockHeader:
    return BlockHeader(
        number=number,
        hash=Hash32(f"0x{number:064x}"),
        parent_hash=Hash32(f"0x{number - 1:064x}"),
        timestamp=1_700_000_000 + 12 * number,
        base_fee_wei=base_fee_wei,
        gas_used=15_000_000,
        gas_limit=30_000_000,
        coinbase=ZERO_ADDRESS,
        logs_bloom=bytes(256),
    )


def pair(number: int, venue: str, token0: Token, token1: Token) -> Pool:
    address = f"0x{number:040x}"
    tokens = (token0.address, token1.address)
    return Pool(PoolId(address), Address(address), ProtocolId("uniswap_v2"), venue, tokens, 3000)


def snapshot(*states: UniswapV2State, head: BlockHeader | None = None) -> Snapshot[UniswapV2State]:
    return Snapshot(
        header=head or header(),
        announced_ns=5,
        pools=tuple(state.pool for state in states),
        states=states,
        index_of={state.pool.id: at for at, state in enumerate(states)},
        tokens=TOKENS,
        changed=tuple(range(len(states))),
    )


def mispriced(gap_bps: int = 200, depth_ether: int = 1000) -> Snapshot[UniswapV2State]:
    """WETH/USDC on two venues, `gap_bps` apart before fees, 3000 USDC for a WETH."""
    weth, usdc = depth_ether * ETHER, depth_ether * 3000 * 10**6
    return snapshot(
        UniswapV2State(pair(1, "a", WETH, USDC), weth, usdc),
        UniswapV2State(pair(2, "b", WETH, USDC), weth, usdc * (10_000 + gap_bps) // 10_000),
    )


class Prices:
    """An oracle of fixed prices."""

    def __init__(self, usd_pico: dict[Address, int] = USD_PRICES) -> None:
        self.usd_pico = usd_pico

    def price(self, token: Address, now: int) -> Price | None:
        return Price(self.usd_pico[token], now) if token in self.usd_pico else None


class Holdings:
    """A treasury that has what it is told."""

    def __init__(self, units: dict[Address, int] | None = None) -> None:
        self.units = units or {}

    def held_units(self, token: Address) -> int:
        return self.units.get(token, 0)

    def available_units(self, token: Address) -> int:
        return self.units.get(token, 0)


class Lender:
    """A lender of anything at a share; `locked` names what it cannot serve."""

    def __init__(
        self,
        funding: Funding,
        *,
        fee: Fraction,
        gas: int = 0,
        locked: frozenset[PoolId] = frozenset(),
        closed: str = "",
    ) -> None:
        self._closed = closed
        self.funding = funding
        self.lender = Address("0x" + f"{funding:02x}" * 20)
        self.gas = gas
        self._fee = fee
        self._locked = locked

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:
        return bool(self._locked.intersection(pools)) or self.lender in venues

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        if self._closed or token not in TOKENS:
            return None
        return -(-amount_units * self._fee.numerator // self._fee.denominator)

    def why_closed(self, token: Address) -> str:
        return self._closed if token in TOKENS else ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Has everything always."""


THRESHOLDS = Thresholds(
    profit_usd_micro_min=500_000,
    trade_usd_micro_max=10**12,
    gas_price_wei_max=100 * GWEI,
    priority_fee_wei=GWEI,
    deadline_blocks=2,
)


def validator(
    thresholds: Thresholds = THRESHOLDS,
    oracle: Prices | None = None,
    funding: FundingDesk | None = None,
    dexes: Mapping[ProtocolId, DEX] = DEXES,
) -> Validator:
    return Validator(
        account=ACCOUNT,
        thresholds=thresholds,
        wrapped_native=WETH.address,
        dexes=dexes,
        oracle=oracle or Prices(),
        funding=funding or FundingDesk(Holdings(), (), DEXES),
    )


def found(market: Snapshot[PoolState], *start: Token) -> Sequence[Opportunity]:
    """What the spatial strategy sees."""
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    config = StrategyConfig(0, tuple(token.address for token in start or (WETH, USDC, DAI)))
    return SpatialArbitrage(config).scan(market, graph)


def changed(thresholds: Thresholds = THRESHOLDS, **fields: int | Mapping[Scope, int]) -> Thresholds:
    return msgspec.structs.replace(thresholds, **fields)
