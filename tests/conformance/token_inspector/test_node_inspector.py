"""Every lie is found out on a real node through real pools; the oracle is what the token's source says it does."""

import asyncio
from collections.abc import Callable, Collection, Sequence

import msgspec
import pytest
from tests.conformance.protocols.local_chain import CHAIN_ID
from tests.conformance.token_inspector.lying_market import DEPTH, LyingMarket
from tests.support.node_proxy import proxy_in_thread
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.inspectors.node import script
from headrace.adapters.inspectors.node.handling import Handling
from headrace.adapters.inspectors.node.inspector import NodeInspector
from headrace.adapters.inspectors.node.script import bare_setting, real_setting
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.devnet.artifacts import own_runtime_code
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockContext
from headrace.model.pool import Pool
from headrace.model.token_verdict import Lie
from headrace.ports.chain import Chain
from headrace.ports.pool import DEX, PoolState
from headrace.ports.token_inspector import Inspection

BUYS, SALES, BOTH = range(3)
COINBASE, GAS_PRICE, BASE_FEE = range(3)
NEVER = 2**40
NOBODY = Address("0x" + "42" * 20)
REGISTRY = "0x1820a4b7618bde71dce8cdc73aab6c95905fad24"
ANSWERS_ONE = "0x600160005260206000f3"  # PUSH1 1, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN: everything is implemented
Listed = Callable[[LyingMarket, Address], Pool]
PAIR: Listed = LyingMarket.pair
POOL: Listed = LyingMarket.pool
WHERE = pytest.mark.parametrize("listed", [PAIR, POOL], ids=["uniswap_v2", "uniswap_v3"])


def inspected(
    market: LyingMarket,
    token: Address,
    pools: Sequence[Pool],
    money: Collection[Address] = (),
    *,
    url: str = "",
    dexes: Sequence[DEX] = (),
) -> Inspection:
    known = {**market.dexes, **{dex.protocol_id: dex for dex in dexes}}

    async def ask() -> Inspection:
        async with EvmChain(
            EvmOptions(url=url or market.anvil.ws_url, chain_id=ChainId(CHAIN_ID)), WallClock()
        ) as chain:
            probe = own_runtime_code("TokenProbe")
            inspector = NodeInspector(chain.client, chain, known, market.weth, probe)
            return await inspector.inspect(token, pools, money or [market.weth], await chain.head())

    return asyncio.run(ask())


def lie_of(market: LyingMarket, token: Address, *pools: Pool) -> Lie | None:
    found = inspected(market, token, pools)
    assert not found.is_fit, found
    assert found.detail
    return found.lie


@WHERE
def test_an_honest_token_passes(market: LyingMarket, listed: Listed) -> None:
    token = market.honest()
    assert inspected(market, token, [listed(market, token)]) == Inspection(is_fit=True, lie=None, detail="")


def test_an_honest_token_passes_for_money_that_somebody_else_holds(market: LyingMarket) -> None:
    money, token = market.honest(), market.honest()
    pools = [market.pair(token, money), market.pair(money)]
    assert inspected(market, token, pools, [money]).is_fit


@WHERE
@pytest.mark.parametrize("side", [BUYS, SALES, BOTH])
def test_a_toll_on_buys_on_sales_or_on_both_is_found(market: LyingMarket, listed: Listed, side: int) -> None:
    token = market.token("TollToken", side, 200, 0)
    pool = listed(market, token)
    market.tell(token, "addMarket(address)", pool.address)
    assert lie_of(market, token, pool) == Lie.FEE_ON_TRANSFER


def test_a_toll_from_a_size_on_is_found(market: LyingMarket) -> None:
    token = market.token("TollToken", BOTH, 1, DEPTH // 100)
    pool = market.pair(token)
    market.tell(token, "addMarket(address)", pool.address)
    assert lie_of(market, token, pool) == Lie.FEE_ON_TRANSFER


def test_a_toll_at_one_of_two_markets_is_enough(market: LyingMarket) -> None:
    token = market.token("TollToken", BOTH, 200, 0)
    honest, tolled = market.pool(token), market.pair(token)
    market.tell(token, "addMarket(address)", tolled.address)
    assert inspected(market, token, [honest]).is_fit
    assert lie_of(market, token, honest, tolled) == Lie.FEE_ON_TRANSFER


@WHERE
def test_a_rebasing_token_is_found(market: LyingMarket, listed: Listed) -> None:
    token = market.token("RebasingToken", 100)
    assert lie_of(market, token, listed(market, token)) == Lie.REBASES


@WHERE
def test_a_trap_is_found_while_it_is_shut(market: LyingMarket, listed: Listed) -> None:
    token = market.token("TrapToken", 0)
    pool = listed(market, token)
    market.tell(token, "addMarket(address)", pool.address)
    assert lie_of(market, token, pool) == Lie.BLOCKS_SALE


def test_a_trap_that_shuts_within_the_hold_is_found_and_a_later_one_is_not(market: LyingMarket) -> None:
    number = market.head().number
    tokens = [market.token("TrapToken", number + 60), market.token("TrapToken", NEVER)]
    pools = [market.pair(token) for token in tokens]
    for token, pool in zip(tokens, pools, strict=True):
        market.tell(token, "addMarket(address)", pool.address)
    assert lie_of(market, tokens[0], pools[0]) == Lie.BLOCKS_SALE
    assert inspected(market, tokens[1], pools[1:]).is_fit


@WHERE
def test_a_token_that_denies_its_transfers_is_found(market: LyingMarket, listed: Listed) -> None:
    token = market.token("FalseToken")
    pool = listed(market, token)
    assert inspected(market, token, [pool]).is_fit
    market.tell(token, "lieFromNowOn()")
    assert lie_of(market, token, pool) == Lie.RETURNS_FALSE


@WHERE
def test_a_silent_token_is_named_and_passes(market: LyingMarket, listed: Listed) -> None:
    token = market.token("NoReturnToken")
    found = inspected(market, token, [listed(market, token)])
    assert (found.is_fit, found.lie) == (True, Lie.RETURNS_NOTHING)


def test_changing_decimals_are_found(market: LyingMarket) -> None:
    token = market.token("ShiftingToken")
    assert lie_of(market, token, market.pair(token)) == Lie.CHANGES_DECIMALS


@WHERE
def test_a_token_that_calls_its_receivers_is_found(market: LyingMarket, listed: Listed) -> None:
    token = market.token("HookToken")
    assert lie_of(market, token, listed(market, token)) == Lie.CALLS_BACK


def test_a_token_of_erc_777_is_found_by_its_registration(market: LyingMarket) -> None:
    token = market.honest()
    pool = market.pair(token)
    market.rpc.request("anvil_setCode", REGISTRY, ANSWERS_ONE)
    try:
        assert lie_of(market, token, pool) == Lie.CALLS_BACK
    finally:
        market.rpc.request("anvil_setCode", REGISTRY, "0x")


@WHERE
@pytest.mark.parametrize("tell", [COINBASE, GAS_PRICE, BASE_FEE])
def test_a_token_that_knows_when_it_is_watched_is_found(market: LyingMarket, listed: Listed, tell: int) -> None:
    token = market.token("StagedToken", tell)
    assert lie_of(market, token, listed(market, token)) == Lie.STAGED


def test_a_token_without_money_beside_it_or_in_a_shallow_pool_is_unknown(market: LyingMarket) -> None:
    token, money = market.honest(), market.honest()
    shallow = market.pair(token, units=30)
    for pools, known in (([shallow], NOBODY), ([market.pair(token, money)], money)):
        found = inspected(market, token, pools, [known])
        assert (found.is_fit, found.lie) == (False, None)
        assert "no pool pairs it" in found.detail
    assert "shallow" in inspected(market, token, [shallow]).detail


def test_money_that_cannot_be_had_proves_nothing(market: LyingMarket) -> None:
    money, token = market.token("TrapToken", NEVER), market.honest()
    pools = [market.pair(token, money), market.pair(money, units=20)]
    found = inspected(market, token, pools, [money])
    assert (found.is_fit, found.lie) == (False, None)
    assert "could be had" in found.detail


def test_a_node_that_cannot_simulate_knows_nothing(market: LyingMarket) -> None:
    token = market.honest()
    pools = [market.pair(token)]
    with proxy_in_thread(market.anvil.port) as proxy:
        proxy.refused_methods.add("eth_simulateV1")
        found = inspected(market, token, pools, url=proxy.ws_url)
        proxy.refused_methods.clear()
        assert (found.is_fit, found.lie) == (False, None)
        assert "the node cannot simulate it" in found.detail
        for answer in (b"[]", b'[{"number": "0x1", "calls": []}]', b'"garbage"'):
            proxy.answer_with("eth_simulateV1", answer)
            assert not inspected(market, token, pools, url=proxy.ws_url).is_fit


class Odd(UniswapV3):
    """A protocol whose quotes are wrong by a unit, or end at a size or at a block, or whose pools cannot be read."""

    def __init__(
        self, *, units: int = 0, size_max: int = DEPTH, last_block: int = NEVER, is_readable: bool = True
    ) -> None:
        super().__init__()
        self._units, self._size_max, self._last_block, self._is_readable = units, size_max, last_block, is_readable

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV3State, ...]:
        if not self._is_readable:
            raise MalformedPoolError(pools[0].id, "all of it", "nonsense")
        return await super().read(chain, pools, block)

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        if amount_in > self._size_max or at.number > self._last_block:
            raise UnquotableError(state.pool.id, "odd")
        return super().quote_out(state, token_in, token_out, amount_in, at) + self._units


def test_a_pool_that_does_not_pay_as_quoted_is_not_held_against_the_token(market: LyingMarket) -> None:
    token = market.honest()
    pair, pool = market.pair(token), market.pool(token)
    too_cheap = msgspec.structs.replace(pair, fee_pips=2000)  # the pair wants 3000
    found = inspected(market, token, [too_cheap])
    assert (found.is_fit, found.lie) == (False, Lie.BLOCKS_BUY)
    assert inspected(market, token, [too_cheap, pool]).is_fit
    found = inspected(market, token, [pool], dexes=[Odd(units=-1)])
    assert (found.is_fit, found.lie) == (False, Lie.OFF_QUOTE)
    assert inspected(market, token, [pair, pool], dexes=[Odd(units=-1)]).is_fit


def test_a_pool_that_takes_little_or_is_not_quoted_far_ahead_serves_and_one_that_cannot_be_read_does_not(
    market: LyingMarket,
) -> None:
    token = market.honest()
    pools = [market.pool(token)]
    for odd in (Odd(size_max=DEPTH // 1000), Odd(last_block=market.head().number + 1)):
        assert inspected(market, token, pools, dexes=[odd]).is_fit
    for odd in (Odd(size_max=0), Odd(is_readable=False)):
        found = inspected(market, token, pools, dexes=[odd])
        assert (found.is_fit, found.lie) == (False, None)


def test_without_a_hold_a_late_trap_and_changing_decimals_would_be_believed(
    market: LyingMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "HOLD_BLOCKS", 1)
    monkeypatch.setattr(script, "HOLD_SECONDS", 12)
    tokens = [market.token("TrapToken", market.head().number + 60), market.token("ShiftingToken")]
    pools = [market.pair(token) for token in tokens]
    market.tell(tokens[0], "addMarket(address)", pools[0].address)
    for token, pool in zip(tokens, pools, strict=True):
        assert inspected(market, token, [pool]).is_fit


@pytest.mark.parametrize("tell", [COINBASE, GAS_PRICE, BASE_FEE])
def test_a_careless_simulation_alone_would_believe_the_staged_token(market: LyingMarket, tell: int) -> None:
    token = market.token("StagedToken", tell)
    handling = Handling(token, market.pair(token).address, DEPTH // 10)

    async def handled() -> list[Inspection]:
        async with EvmChain(EvmOptions(url=market.anvil.ws_url, chain_id=ChainId(CHAIN_ID)), WallClock()) as chain:
            head = await chain.head()
            settings = (real_setting(head), bare_setting(head))
            return [handling.judge(await handling.script(one).run(chain.client, head.hash)) for one in settings]

    real, bare = asyncio.run(handled())
    assert (real.is_fit, real.lie) == (False, Lie.FEE_ON_TRANSFER)
    assert bare.is_fit
