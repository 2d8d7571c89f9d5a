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
from headrace.devnet import rpc
from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import MAKER, account_address
from headrace.devnet.market import Market
from headrace.devnet.world import Devnet
from headrace.errors import MalformedAnswerError
from headrace.model.address import Address, ChainId, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Call
from headrace.ports.flash_source import FlashSource

NOBODY = 6  # an account without code
SWITCHES = [
    ("setReservePause(address,bool)", True, "29", "is paused"),  # Errors.RESERVE_PAUSED
    ("setReserveFlashLoaning(address,bool)", False, "91", "is not enabled for flash loans"),  # FLASHLOAN_DISABLED
    ("setReserveFreeze(address,bool)", True, "", ""),  # a frozen reserve lends
    ("setReserveActive(address,bool)", False, "27", "is not active"),  # RESERVE_INACTIVE
]


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


def asked_for_a_loan(devnet: Devnet, token: Address) -> str:
    """What the pool's own code says: its error's number, or nothing where only the receiver is to blame."""
    aave, receiver = devnet.market.aave.pool, account_address(NOBODY)
    data = encode_call("flashLoanSimple(address,address,uint256,bytes,uint16)", receiver, token, 1, b"", 0)
    call = {"from": receiver, "to": aave, "data": data}
    (answer,) = devnet.rpc.attempt([rpc.Call("eth_call", (call, "latest"))])
    assert isinstance(answer, rpc.RpcFailure), "an account without code takes no loan"
    said = answer.message.rpartition(" ")[2]
    return said if said in {error for _, _, error, _ in SWITCHES} else ""


@pytest.mark.parametrize(("switch", "to", "error", "why"), SWITCHES, ids=[one[0].partition("(")[0] for one in SWITCHES])
def test_aave_lends_nothing_exactly_where_its_own_code_refuses(
    devnet: Devnet,
    switch: str,
    to: bool,  # noqa: FBT001 - a parameter of the test
    error: str,
    why: str,
) -> None:
    token, maker, pool = devnet.market.token("WETH").address, account_address(MAKER), devnet.market.aave.pool
    asked = {"to": devnet.market.aave.provider, "data": encode_call("getPoolConfigurator()")}
    configurator = Address("0x" + str(devnet.rpc.request("eth_call", asked, "latest"))[-40:])
    source = AaveV3FlashLoan(pool, [token])

    def act(contract: Address, signature: str, *args: object) -> None:
        fields = {"from": maker, "to": contract, "data": encode_call(signature, *args), "gas": hex(3_000_000)}
        done = devnet.rpc.request("eth_sendTransaction", fields)
        devnet.rpc.request("evm_mine")
        receipt = devnet.rpc.request("eth_getTransactionReceipt", done)
        assert isinstance(receipt, dict)
        assert receipt["status"] == "0x1", signature

    snapshot = devnet.rpc.request("evm_snapshot")
    try:
        refreshed(devnet, source)
        assert (asked_for_a_loan(devnet, token), source.why_closed(token), source.fee_units(token, 1)) == ("", "", 0)
        if "Active" in switch:  # only what nobody has supplied can be made inactive
            act(pool, "withdraw(address,uint256,address)", token, 2**256 - 1, maker)
        act(configurator, switch, token, to)
        refreshed(devnet, source)
        assert asked_for_a_loan(devnet, token) == error
        assert source.why_closed(token) == (f"the Aave reserve of {token} {why}" if why else "")
        assert source.fee_units(token, 1) == (None if why else 0)
        act(configurator, switch, token, not to)
        refreshed(devnet, source)
        assert asked_for_a_loan(devnet, token) == ""
        assert source.why_closed(token) == ""
    finally:
        devnet.rpc.request("evm_revert", snapshot)


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
