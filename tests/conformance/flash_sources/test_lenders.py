"""Lenders against the protocols' own bytecode on the devnet."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.flash_sources.aave_v3 import AaveV3FlashLoan
from headrace.adapters.flash_sources.balancer_v2 import BalancerV2FlashLoan
from headrace.adapters.flash_sources.uniswap_v3 import UniswapV3Flash
from headrace.devnet.market import Market
from headrace.devnet.world import Devnet
from headrace.errors import MalformedAnswerError
from headrace.model.address import Address, ChainId, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Call
from headrace.ports.flash_source import FlashSource


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet.start(seed=3) as running:
        yield running


def held(devnet: Devnet, token: Address, holder: Address) -> int:
    async def read() -> int:
        async with EvmChain(EvmOptions(url=devnet.anvil.ws_url, chain_id=ChainId(31337)), WallClock()) as chain:
            head = await chain.head()
            data = bytes.fromhex("70a08231") + bytes(12) + bytes.fromhex(holder[2:])
            return int.from_bytes(await chain.call(Call(token, data), head.hash))

    return asyncio.run(read())


def refreshed(devnet: Devnet, source: FlashSource) -> FlashSource:
    async def refresh() -> None:
        async with EvmChain(EvmOptions(url=devnet.anvil.ws_url, chain_id=ChainId(31337)), WallClock()) as chain:
            await source.refresh(chain, (await chain.head()).hash)

    asyncio.run(refresh())
    return source


def addresses(market: Market) -> tuple[Address, Address, Address]:
    weth = market.token("WETH").address
    vault = market.exchange("balancer_v2").router
    return weth, vault, market.aave.pool


def test_the_vault_lends_what_it_holds_for_nothing_and_not_to_a_plan_that_trades_through_it(devnet: Devnet) -> None:
    weth, vault, _ = addresses(devnet.market)
    source = BalancerV2FlashLoan(vault, [weth])
    assert source.fee_units(weth, 1) is None
    refreshed(devnet, source)
    most = held(devnet, weth, vault)
    assert source.fee_units(weth, most) == 0
    assert source.fee_units(weth, most + 1) is None
    assert source.is_locked_by((), (vault,))
    assert not source.is_locked_by((), (weth,))


def test_aave_lends_what_the_a_token_holds_at_five_basis_points_rounded_half_up(devnet: Devnet) -> None:
    weth, vault, aave = addresses(devnet.market)
    nobody = Address("0x" + "00" * 19 + "99")
    source = refreshed(devnet, AaveV3FlashLoan(aave, [weth, nobody]))
    assert [source.fee_units(weth, amount) for amount in (999, 1000, 2000, 3000)] == [0, 1, 1, 2]
    assert source.fee_units(weth, 10**30) is None
    assert source.fee_units(nobody, 1) is None
    assert not source.is_locked_by((PoolId(vault),), (vault,))


def test_a_v3_pool_lends_what_it_holds_at_its_fee_rounded_up_unless_it_is_on_the_route(devnet: Devnet) -> None:
    listed = devnet.market.exchange("uniswap_v3").pools[0]
    pool = Pool(
        listed.id, listed.address, ProtocolId("uniswap_v3"), "uniswap_v3", listed.tokens, fee_pips=listed.fee_pips
    )
    source = refreshed(devnet, UniswapV3Flash(pool))
    most = held(devnet, pool.tokens[0], pool.address)
    assert source.fee_units(pool.tokens[0], most) == -(-most * pool.fee_pips // 10**6)
    assert source.fee_units(pool.tokens[0], 1) == 1
    assert source.fee_units(pool.tokens[0], most + 1) is None
    assert source.is_locked_by((pool.id,), ())
    assert not source.is_locked_by((), (pool.address,))


def test_a_contract_that_is_no_lender_is_a_typed_error(devnet: Devnet) -> None:
    weth, vault, _ = addresses(devnet.market)
    for source in (AaveV3FlashLoan(vault, [weth]), BalancerV2FlashLoan(weth, [weth])):
        with pytest.raises(MalformedAnswerError):
            refreshed(devnet, source)
