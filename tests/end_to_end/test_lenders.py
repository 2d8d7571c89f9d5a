"""The agent's whole line on loans of Uniswap v4's manager and of Morpho Blue, on the devnet's market.

Both contracts are the real ones (published bytecode; compiled from published sources). The agent has no capital of its
own and nobody lends by flash swap, so every trade that lands was lent by them.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.app.agent import ArbitrageAgent
from headrace.app.agents import open_agent
from headrace.app.config.places import Venue
from headrace.app.config.tree import Config
from headrace.app.demo import _agent_files
from headrace.app.places import open_places
from headrace.devnet.artifacts import npm_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.driver import Driver
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.third_party import third_party_artifact
from headrace.devnet.world import Devnet
from headrace.errors import DevnetError
from headrace.model.intent import IntentStatus
from headrace.model.pool import ProtocolId

SEED = 2
BLOCKS_MAX = 60
SECONDS_MAX = 30.0


@pytest.fixture
def devnet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Devnet]:
    for dex in (UniswapV2, UniswapV3):
        monkeypatch.setattr(dex, "supports_flash_swap", property(lambda _: False))
    with Devnet.start(SEED) as running:
        yield running


def uniswap_v4(maker: Deployer) -> Venue:
    artifact = npm_artifact("@uniswap/v4-core/out/PoolManager.sol/PoolManager.json")
    manager = maker.deploy(artifact, ("address",), maker.sender)
    return Venue(protocol=ProtocolId("uniswap_v4"), vault=manager)


def morpho(maker: Deployer) -> Venue:
    try:
        artifact = third_party_artifact("morpho_blue", "Morpho")
    except DevnetError as error:
        pytest.skip(f"`make third-party` cannot build Morpho: {error}")
    return Venue(protocol=ProtocolId("morpho"), pool=maker.deploy(artifact, ("address",), maker.sender))


def lending_only(devnet: Devnet, config: Config, venue: Venue, maker: Deployer) -> Config:
    """The configuration with this lender alone; it gets a hundredth of what the maker holds of each token."""
    lender = venue.vault or venue.pool
    assert lender is not None
    for token in devnet.market.tokens:
        held = maker.call_integer(token.address, "balanceOf(address)(uint256)", maker.sender)
        maker.transact(token.address, "transfer(address,uint256)", lender, held // 100)
    maker.flush()
    execution, name = config.execution, str(venue.protocol)
    loan = msgspec.structs.replace(execution.flash_loan, lenders=(name,))
    venues = MappingProxyType({**config.venues, name: venue})
    return msgspec.structs.replace(
        config,
        execution=msgspec.structs.replace(execution, flash_loan=loan),
        protocols=MappingProxyType({config.chain_name: venues}),
    )


def without_capital(devnet: Devnet) -> None:
    owner = Deployer(devnet.rpc, devnet.market.owner)
    for token in devnet.market.tokens:
        held = owner.call_integer(token.address, "balanceOf(address)(uint256)", devnet.market.executor)
        owner.transact(devnet.market.executor, "withdraw(address,address,uint256)", token.address, owner.sender, held)
    owner.flush()


@pytest.mark.parametrize("make", [uniswap_v4, morpho])
def test_trades_land_on_loans_of(make: Callable[[Deployer], Venue], devnet: Devnet, tmp_path: Path) -> None:
    maker = Deployer(devnet.rpc)
    found, signer = _agent_files(devnet, tmp_path, BLOCK_SECONDS)
    config = lending_only(devnet, found, make(maker), maker)
    without_capital(devnet)
    driver = Driver(devnet, SEED)

    async def run() -> ArbitrageAgent:
        async with (
            open_places(config, config.chain_name, lambda _: None) as places,
            open_agent(places, signer) as agent,
            asyncio.TaskGroup() as tasks,
        ):
            running = tasks.create_task(agent.run())
            await asyncio.wait_for(agent.finished(driver.block), SECONDS_MAX)
            for _ in range(BLOCKS_MAX):
                await driver.step(lambda block: asyncio.wait_for(agent.finished(block), SECONDS_MAX))
                if any(one.status is IntentStatus.LANDED for one in agent.tally.executions):
                    break
            running.cancel()
        return agent

    executions = asyncio.run(run()).tally.executions
    landed = [one for one in executions if one.status is IntentStatus.LANDED]
    assert landed
    assert {one.engine for one in executions} == {"flash_loan"}
    assert not [one for one in landed if one.is_clean and one.deviation_units]
    assert not [one for one in executions if one.is_clean and one.status is IntentStatus.REVERTED]
