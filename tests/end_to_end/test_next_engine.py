"""Money that is gone when it is wanted, on real contracts: the next engine does the trade in the same block.

What own capital and lenders have is read a block behind the market. Here each of them is emptied or shut in the very
block that a trade is found on, by those who may do so on a real chain: the owner takes the capital out, Aave's supplier
withdraws its whole supply, Balancer's authorizer pauses the vault. Nothing of the agent is replaced but, for the last
two, the protocols' word that their pools lend by flash swap, which would be cheaper.
"""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from rich.console import Console

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.agent import ArbitrageAgent
from headrace.app.agents import open_agent
from headrace.app.demo import _agent_files
from headrace.app.places import open_places
from headrace.app.render import render_run
from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import MAKER, account_address
from headrace.devnet.deployer import Deployer
from headrace.devnet.driver import Driver
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.rpc import Call
from headrace.devnet.world import Devnet
from headrace.model.address import Address
from headrace.model.intent import Intent, IntentStatus
from headrace.model.record import IntentEnded, IntentOpened, Record
from headrace.model.refusal import Reason

SEED = 2
BLOCKS_MAX = 60
SECONDS_MAX = 30.0
FEE = {"gas": hex(3_000_000), "maxFeePerGas": hex(10**13), "maxPriorityFeePerGas": hex(10**10)}
MAX = 2**256 - 1


class Shut(Protocol):
    """Transactions that shut a source of money, or open it again."""

    def __call__(self, devnet: Devnet, *, is_shut: bool) -> list[dict[str, str]]: ...


@pytest.fixture
def devnet() -> Iterator[Devnet]:
    with Devnet.start(SEED) as running:
        yield running


@pytest.fixture
def no_flash_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    for dex in (UniswapV2, UniswapV3):
        monkeypatch.setattr(dex, "supports_flash_swap", property(lambda _: False))


def sent_by(sender: Address, to: Address, signature: str, *args: object) -> dict[str, str]:
    return {**FEE, "from": sender, "to": to, "data": encode_call(signature, *args)}


def owner_takes_the_capital_out(devnet: Devnet, *, is_shut: bool) -> list[dict[str, str]]:
    market, calls = devnet.market, []
    for token in market.tokens:
        holder = market.executor if is_shut else market.owner
        held = balance(devnet, token.address, holder)
        if held and is_shut:
            withdraw = "withdraw(address,address,uint256)"
            calls.append(sent_by(market.owner, market.executor, withdraw, token.address, market.owner, held))
        elif held:
            calls.append(sent_by(market.owner, token.address, "transfer(address,uint256)", market.executor, held))
    return calls


def aave_is_drained(devnet: Devnet, *, is_shut: bool) -> list[dict[str, str]]:
    pool, maker, calls = devnet.market.aave.pool, account_address(MAKER), []
    for token in devnet.market.tokens:
        if is_shut:
            calls.append(sent_by(maker, pool, "withdraw(address,uint256,address)", token.address, MAX, maker))
        else:
            amount = balance(devnet, token.address, maker) // 100
            calls.append(sent_by(maker, token.address, "approve(address,uint256)", pool, amount))
            supply = "supply(address,uint256,address,uint16)"
            calls.append(sent_by(maker, pool, supply, token.address, amount, maker, 0))
    return calls


def balancer_is_paused(devnet: Devnet, *, is_shut: bool) -> list[dict[str, str]]:
    vault = devnet.market.exchange("balancer_v2").router
    return [sent_by(account_address(MAKER), vault, "setPaused(bool)", is_shut)]


def balance(devnet: Devnet, token: Address, holder: Address) -> int:
    call = {"to": token, "data": encode_call("balanceOf(address)", holder)}
    return int(str(devnet.rpc.request("eth_call", call, "latest")), 16)


class Scene:
    """The agent's process, and a market whose `shut` source of money opens and closes every other block."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.devnet = devnet
        self.config, self.signer = _agent_files(devnet, folder, BLOCK_SECONDS)
        self.driver = Driver(devnet, SEED)

    def lends_only(self, *lenders: str) -> None:
        """With nothing of its own, and these lenders."""
        loan = msgspec.structs.replace(self.config.execution.flash_loan, lenders=lenders)
        execution = msgspec.structs.replace(self.config.execution, flash_loan=loan)
        self.config = msgspec.structs.replace(self.config, execution=execution)
        self.devnet.rpc.batch(
            Call("eth_sendTransaction", (one,)) for one in owner_takes_the_capital_out(self.devnet, is_shut=True)
        )

    def play(self, shut: Shut) -> ArbitrageAgent:
        return asyncio.run(self._play(shut))

    async def _play(self, shut: Shut) -> ArbitrageAgent:
        async with (
            open_places(self.config, self.config.chain_name, lambda _: None) as places,
            open_agent(places, self.signer) as agent,
            asyncio.TaskGroup() as tasks,
        ):
            running = tasks.create_task(agent.run())
            await asyncio.wait_for(agent.finished(self.driver.block), SECONDS_MAX)
            for number in range(BLOCKS_MAX):
                await asyncio.to_thread(self._send, shut(self.devnet, is_shut=number % 2 == 0))
                await self.driver.step(lambda block: asyncio.wait_for(agent.finished(block), SECONDS_MAX))
                if moved(agent):
                    break
            for _ in range(3):
                await self.driver.step(lambda block: asyncio.wait_for(agent.finished(block), SECONDS_MAX))
            running.cancel()
        return agent

    def _send(self, transactions: list[dict[str, str]]) -> None:
        self.driver._nonces[MAKER] += sum(one["from"] == account_address(MAKER) for one in transactions)
        self.devnet.rpc.batch(Call("eth_sendTransaction", (one,)) for one in transactions)

    @property
    def records(self) -> list[Record]:
        return list(read_journal(self.config.journal_path))

    def tries(self) -> tuple[Intent, IntentEnded, Intent]:
        """The first intent that was given up for its engine, its end, and the same on the next engine."""
        for at, record in enumerate(self.records):
            if isinstance(record, IntentOpened) and record.intent.engines_refused:
                before = self.records[:at]
                ((first, end),) = (
                    (one.intent, end)
                    for one in before
                    if isinstance(one, IntentOpened) and one.intent.id == record.intent.id
                    for end in before
                    if isinstance(end, IntentEnded) and end.outcome.intent_id == record.intent.id
                )
                return first, end, record.intent
        raise AssertionError("no trade was put on its next engine")


def moved(agent: ArbitrageAgent) -> bool:
    return any(one.engines_refused for one in agent.tally.executions)


def landed_on(agent: ArbitrageAgent, engine: str) -> list[str]:
    return [
        reason
        for one in agent.tally.executions
        if one.engine == engine and one.status is IntentStatus.LANDED
        for reason in one.engines_refused
    ]


def test_capital_that_the_owner_took_out_meanwhile_is_borrowed_instead(devnet: Devnet, tmp_path: Path) -> None:
    scene = Scene(devnet, tmp_path)
    maker = Deployer(devnet.rpc)
    for token in devnet.market.tokens:  # enough for every trade, so that every trade wants it
        amount = balance(devnet, token.address, maker.sender) // 100
        maker.transact(token.address, "transfer(address,uint256)", devnet.market.executor, amount)
    maker.flush()
    scene.driver = Driver(devnet, SEED)
    agent = scene.play(owner_takes_the_capital_out)
    first, end, following = scene.tries()
    assert first.engine == "own_capital"
    assert following.engine in {"flash_swap", "flash_loan"}
    assert first.reservation.capital_units == first.amount_in_units == following.amount_in_units
    assert following.reservation.capital_units == 0
    assert end.outcome.reason is Reason.REHEARSAL_REVERTED
    assert end.outcome.cause.startswith("CapitalInsufficient(")
    assert any(why.startswith("own_capital: CapitalInsufficient(") for why in landed_on(agent, following.engine))
    shown = drawn(agent)
    assert f"{following.engine} (after own_capital)" in shown
    assert "on the next engine, since the first one could not pay: " in shown


@pytest.mark.usefixtures("no_flash_swaps")
def test_aave_run_dry_in_the_same_block_is_replaced_by_another_lender(devnet: Devnet, tmp_path: Path) -> None:
    maker = Deployer(devnet.rpc)
    provider = devnet.market.aave.provider
    configurator = maker.call_address(provider, "getPoolConfigurator()(address)")
    maker.transact(configurator, "updateFlashloanPremiumTotal(uint128)", 0)  # so that it is the cheapest
    maker.flush()
    scene = Scene(devnet, tmp_path)
    scene.lends_only("aave_v3", "uniswap_v3")
    agent = scene.play(aave_is_drained)
    first, end, following = scene.tries()
    assert (first.engine, following.engine) == ("flash_loan", "flash_loan")
    assert end.outcome.reason is Reason.REHEARSAL_REVERTED
    assert following.engines_refused[0].lender == devnet.market.aave.pool
    assert following.quoted_profit_units < first.quoted_profit_units  # its fee
    assert landed_on(agent, "flash_loan")


@pytest.mark.usefixtures("no_flash_swaps")
def test_a_paused_vault_is_replaced_by_aave(devnet: Devnet, tmp_path: Path) -> None:
    vault, maker = devnet.market.exchange("balancer_v2").router, Deployer(devnet.rpc)
    authorizer = maker.call_address(vault, "getAuthorizer()(address)")
    role = maker.call(vault, "getActionId(bytes4)(bytes32)", bytes.fromhex("16c38b3c"))[0]  # setPaused(bool)
    maker.transact(authorizer, "grantRole(bytes32,address)", role, maker.sender)
    maker.flush()
    scene = Scene(devnet, tmp_path)
    scene.lends_only("balancer_v2", "aave_v3")
    agent = scene.play(balancer_is_paused)
    _, end, following = scene.tries()
    assert end.outcome.cause == "BAL#402"
    assert following.engines_refused[0].lender == vault
    assert landed_on(agent, "flash_loan") == ["flash_loan: BAL#402"]


def drawn(agent: ArbitrageAgent) -> str:
    text = io.StringIO()
    render_run(asyncio.run(agent.report()), Console(file=text, width=200))
    return text.getvalue()
