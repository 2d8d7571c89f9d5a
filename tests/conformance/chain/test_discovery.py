"""Discovery against the published bytecode of five venues; the oracle is what the contracts answer themselves.

Uniswap v2: `allPairs(i)`, one by one. Uniswap v3: `getPool` of all that was created. Balancer v2: `getPool(id)` and
the vault's running number. Uniswap v4: the manager's own storage at keccak(id . 6).
"""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from eth_hash.auto import keccak
from tests.support.node_proxy import Fault, NodeProxy
from tests.support.places import PROJECT
from tests.support.range_proxy import ALCHEMY, ERIGON, GETH, INFURA, QUICKNODE, RangeProxy, Words
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.factories.balancer_v2 import BalancerV2Vault
from headrace.adapters.factories.uniswap_v2 import UniswapV2Factory
from headrace.adapters.factories.uniswap_v3 import UniswapV3Factory
from headrace.adapters.factories.uniswap_v4 import UniswapV4Manager
from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading
from headrace.devnet.abi import encode_arguments
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import npm_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.recipe.balancer_v2 import deploy_balancer_v2
from headrace.devnet.rpc import Rpc, text
from headrace.errors import LogRangeRefusedError, MalformedAnswerError, MissingLogsError
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, Hash32, keccak_hex
from headrace.pipeline.discovery.discoverer import Discovered, Discoverer, Progress, Wanted
from headrace.ports.factory import Factory
from headrace.ports.log_archive import LogQuery

PAIRS = 250
CONFIRMATIONS = 5
V3_FEES = (500, 3000, 10_000)
V4_KEY = "(address,address,uint24,int24,address)"


class Chain(msgspec.Struct, frozen=True):
    """What was made; expected pools in the order of their making."""

    anvil: Anvil
    rpc: Rpc
    factories: dict[str, Factory]
    expected: dict[str, list[str]]


def code_hash(package_path: str) -> Hash32:
    return keccak_hex(bytes.fromhex(npm_artifact(package_path).creation_code))


def tokens(count: int) -> list[Address]:
    draw = random.Random(5)
    return [Address(f"0x{draw.getrandbits(160):040x}") for _ in range(count)]


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        deployer = Deployer(rpc)
        v2 = deployer.deploy(
            npm_artifact("@uniswap/v2-core/build/UniswapV2Factory.json"), ("address",), deployer.sender
        )
        v3 = deployer.deploy(
            npm_artifact("@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json")
        )
        vault = deploy_balancer_v2(deployer, tokens(1)[0]).vault
        v4 = deployer.deploy(
            npm_artifact("@uniswap/v4-core/out/PoolManager.sol/PoolManager.json"), ("address",), deployer.sender
        )
        deployer.flush()
        factories: dict[str, Factory] = {
            "v2": UniswapV2Factory(v2, code_hash("@uniswap/v2-core/build/UniswapV2Pair.json")),
            "v2 asked": UniswapV2Factory(v2, None),
            "v3": UniswapV3Factory(
                v3, code_hash("@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json")
            ),
            "v3 asked": UniswapV3Factory(v3, None),
            "balancer": BalancerV2Vault(vault),
            "v4": UniswapV4Manager(v4),
        }
        expected = {
            "v2": create_pairs(deployer, v2),
            "v3": create_v3(deployer, v3),
            "balancer": register(deployer, vault),
            "v4": initialise(deployer, v4),
        }
        rpc.request("anvil_mine", hex(300))  # a long stretch without anything
        yield Chain(anvil, rpc, factories, expected)


def create_pairs(deployer: Deployer, factory: Address) -> list[str]:
    made = tokens(PAIRS + 1)
    for one, other in pairwise(made):
        deployer.transact(factory, "createPair(address,address)", one, other)
    count = deployer.call_integer(factory, "allPairsLength()(uint256)")
    assert count == PAIRS
    return [deployer.call_address(factory, "allPairs(uint256)(address)", i) for i in range(count)]


def create_v3(deployer: Deployer, factory: Address) -> list[str]:
    made = tokens(9)
    wanted = [(a, b, fee) for a, b in pairwise(made) for fee in V3_FEES]
    for one in wanted:
        deployer.transact(factory, "createPool(address,address,uint24)", *one)
    deployer.flush()
    return [deployer.call_address(factory, "getPool(address,address,uint24)(address)", *one) for one in wanted]


def register(deployer: Deployer, vault: Address) -> list[str]:
    ids = []
    for number in range(30):
        specialization = number % 3
        deployer.transact(vault, "registerPool(uint8)", specialization)
        ids.append(f"{deployer.sender}{specialization:04x}{number:020x}")
    deployer.flush()
    for one in ids:
        assert (
            deployer.call_address(vault, "getPool(bytes32)(address,uint8)", bytes.fromhex(one[2:])) == deployer.sender
        )
    return ids


def initialise(deployer: Deployer, manager: Address) -> list[str]:
    ids = []
    made = sorted([ZERO_ADDRESS, *tokens(6)])
    for low, high in pairwise(made):
        for fee, spacing in ((500, 10), (3000, 60), (0x7FFF, 32_767)):
            key = (low, high, fee, spacing, ZERO_ADDRESS)
            if fee < 10_000:
                deployer.transact(manager, f"initialize({V4_KEY},uint160)", key, 1 << 96)
                ids.append("0x" + keccak(encode_arguments((V4_KEY,), key)).hex())
    deployer.flush()
    for one in ids:
        slot = keccak(bytes.fromhex(one[2:]) + (6).to_bytes(32, "big"))
        (word,) = deployer.call(manager, "extsload(bytes32)(bytes32)", slot)
        assert isinstance(word, bytes)
        assert any(word), f"the manager knows no pool {one}"
    return ids


def heading(factory: Factory) -> Heading:
    return Heading(
        chain_id=ChainId(31337),
        factory=factory.address,
        topics=factory.topics,
        proof=factory.proof,
        first_block=0,
    )


async def discover(url: str, factory: Factory, path: Path, *, deadline_seconds: float = 10.0) -> Discovered:
    options = EvmOptions(url=url, chain_id=ChainId(31337), deadline_seconds=deadline_seconds)

    async def nap(_seconds: float) -> None:
        await asyncio.sleep(0)  # test_walk knows how long they are

    def ignore(progress: Progress) -> None:
        del progress

    async with EvmChain(options, WallClock()) as node:
        with CatalogueFile(path, heading(factory), is_writer=True) as catalogue:
            return await Discoverer(node, factory, catalogue, nap).run(Wanted(confirmations=CONFIRMATIONS), ignore)


def through(proxy: AbstractAsyncContextManager[NodeProxy], factory: Factory, path: Path) -> Discovered:
    async def proxied() -> Discovered:
        async with proxy as running:
            return await discover(running.ws_url, factory, path, deadline_seconds=0.5)

    return asyncio.run(proxied())


def pools(found: Discovered) -> list[str]:
    assert not found.malformed
    assert not [one.flaw for one in found.creations if one.flaw]
    return [one.pool for one in found.creations]


@pytest.mark.parametrize("venue", ["v2", "v2 asked", "v3", "v3 asked", "balancer", "v4"])
def test_every_pool_is_found_and_no_other(chain: Chain, tmp_path: Path, venue: str) -> None:
    found = asyncio.run(discover(chain.anvil.ws_url, chain.factories[venue], tmp_path / "file"))
    assert pools(found) == chain.expected[venue.partition(" ")[0]]


@pytest.mark.parametrize("words", [ALCHEMY, INFURA, QUICKNODE, ERIGON, GETH], ids=lambda words: words.sentence[:30])
@pytest.mark.parametrize("blocks_max", [3, 100])
def test_a_node_that_refuses_wide_ranges_gives_the_same(
    chain: Chain, tmp_path: Path, words: Words, blocks_max: int
) -> None:
    proxy = RangeProxy(chain.anvil.port, blocks_max, words)
    assert pools(through(proxy, chain.factories["v2"], tmp_path / "file")) == chain.expected["v2"]
    assert proxy.ranges_refused


def test_broken_frames_and_lost_answers_change_nothing(chain: Chain, tmp_path: Path) -> None:
    proxy = RangeProxy(chain.anvil.port, 5, QUICKNODE)  # the proxy cuts no answer of more than 128 kB
    for fault in (Fault.CUT, Fault.DROP, Fault.DUPLICATE, Fault.CUT):
        proxy.strike(fault, "eth_getLogs")
    assert pools(through(proxy, chain.factories["v2"], tmp_path / "file")) == chain.expected["v2"]
    assert proxy.taken == {Fault.CUT: 2, Fault.DROP: 1, Fault.DUPLICATE: 1}


def test_an_answer_that_is_no_json_ends_the_search_and_the_next_one_goes_on(chain: Chain, tmp_path: Path) -> None:
    proxy = RangeProxy(chain.anvil.port, 40, QUICKNODE)
    proxy.strike(Fault.CORRUPT, "eth_getLogs")
    with pytest.raises(MalformedAnswerError):
        through(proxy, chain.factories["v2"], tmp_path / "file")
    assert pools(through(proxy, chain.factories["v2"], tmp_path / "file")) == chain.expected["v2"]


@pytest.mark.parametrize("venue", ["v2", "balancer"])
def test_a_node_that_hides_a_log_is_found_out(chain: Chain, tmp_path: Path, venue: str) -> None:
    proxy = NodeProxy(chain.anvil.port)
    proxy.strike(Fault.HIDE_LOG, "eth_getLogs", log=7)
    with pytest.raises(MissingLogsError):
        through(proxy, chain.factories[venue], tmp_path / "file")
    assert pools(through(NodeProxy(chain.anvil.port), chain.factories[venue], tmp_path / "file"))


def test_a_reorganisation_takes_its_pools_along(chain: Chain, tmp_path: Path) -> None:
    factory, path = chain.factories["v2"], tmp_path / "file"
    snapshot = chain.rpc.request("evm_snapshot")
    deployer = Deployer(chain.rpc)
    made = tokens(PAIRS + 3)[-2:]
    deployer.transact(factory.address, "createPair(address,address)", *made)
    deployer.flush()
    assert len(pools(asyncio.run(discover(chain.anvil.ws_url, factory, path)))) == PAIRS + 1
    chain.rpc.request("evm_revert", snapshot)
    chain.rpc.request("anvil_mine", hex(2))
    assert pools(asyncio.run(discover(chain.anvil.ws_url, factory, path))) == chain.expected["v2"]


DISCOVERING = """
import asyncio, sys
from pathlib import Path
from tests.conformance.chain.test_discovery import *

url, path, address = sys.argv[1:]

def tell(progress):
    print(progress.next_block, flush=True)

async def main():
    factory = UniswapV2Factory(Address(address), None)
    async with EvmChain(EvmOptions(url=url, chain_id=ChainId(31337)), WallClock()) as node:
        with CatalogueFile(Path(path), heading(factory), is_writer=True) as catalogue:
            await Discoverer(node, factory, catalogue, asyncio.sleep).run(Wanted(confirmations=5), tell)

asyncio.run(main())
"""


def test_kill_9_in_the_middle_is_gone_on_from(chain: Chain, tmp_path: Path) -> None:
    factory, path = chain.factories["v2 asked"], tmp_path / "file"
    progress: list[int] = []

    async def scenario() -> Discovered:
        async with RangeProxy(chain.anvil.port, 1, QUICKNODE) as proxy:
            for lines in (6, 11, 4):
                block = await asyncio.to_thread(killed_after, lines, proxy.ws_url, path, factory.address)
                progress.append(block)
            return await discover(proxy.ws_url, factory, path)

    assert pools(asyncio.run(scenario())) == chain.expected["v2"]
    assert progress == sorted(set(progress))
    assert progress[-1] > 15


def killed_after(lines: int, url: str, path: Path, factory: Address) -> int:
    """The block that a process had come to when it had told so many times."""
    command = [sys.executable, "-c", DISCOVERING, url, str(path), factory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        return int(told[-1])


def test_logs_of_a_range_are_those_of_its_blocks(chain: Chain) -> None:
    factory = chain.factories["v3"]

    async def compare() -> None:
        async with EvmChain(EvmOptions(url=chain.anvil.ws_url, chain_id=ChainId(31337)), WallClock()) as node:
            last = 40
            found = await node.logs_between(LogQuery(factory.address, factory.topics, 0, last))
            headers = [await node.header_by_number(number) for number in range(last + 1)]
            one_by_one = [log for one in headers if one is not None for log in await node.logs(one.hash)]
            assert list(found) == [log for log in one_by_one if log.address == factory.address and log in found]
            assert len(found) == sum(log.topics[0] == factory.topics[0] for log in one_by_one)
            assert found
            nothing = await node.logs_between(LogQuery(factory.address, (Hash32("0x" + "11" * 32),), 0, last))
            assert nothing == ()

    asyncio.run(compare())


def test_a_refusal_of_the_node_is_told_apart(chain: Chain) -> None:
    async def ask() -> None:
        async with (
            RangeProxy(chain.anvil.port, 10, ALCHEMY) as proxy,
            EvmChain(EvmOptions(url=proxy.ws_url, chain_id=ChainId(31337)), WallClock()) as node,
        ):
            await node.logs_between(LogQuery(chain.factories["v2"].address, chain.factories["v2"].topics, 0, 10))

    with pytest.raises(LogRangeRefusedError) as caught:
        asyncio.run(ask())
    assert caught.value.blocks_max == 10
    assert text(caught.value.method) == "eth_getLogs"
