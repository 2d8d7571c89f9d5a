"""The simulator against a real node, with and without `eth_simulateV1`.

The oracle is the receipt of the same transaction when it is mined, and what a contract sees of its block.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.support.node_proxy import NodeProxy
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.simulators.node.simulator import NodeSimulator
from headrace.devnet.accounts import account_address
from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc, text
from headrace.errors import MalformedAnswerError, RpcError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.transaction import SimulationResult, UnsignedTransaction
from headrace.ports.simulator import Simulator

TARGET = Address("0x" + "e1" * 20)
SENDER = account_address(3)
COINBASE = Address("0x" + "c0" * 20)
# logs number, timestamp, base fee and coinbase of its block
LOGGING = "0x43600052" + "42602052" + "48604052" + "41606052" + "60806000a0"
# reverts with the same four words
REVERTING = "0x43600052" + "42602052" + "48604052" + "41606052" + "60806000fd"
SPINNING = "0x5b600056"


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil.start() as running:
        yield running


@pytest.fixture
def rpc(anvil: Anvil) -> Iterator[Rpc]:
    with anvil.connect() as connection:
        yield connection


class Bench(NodeProxy):
    """The proxy with a simulator behind it."""

    chain: EvmChain
    simulator: NodeSimulator

    async def run(self, unsigned: UnsignedTransaction | None = None) -> SimulationResult:
        head = await self.chain.head()
        return await self.simulator.simulate(unsigned or transaction(), head.hash, context(head))


@asynccontextmanager
async def bench(anvil: Anvil, *, has_simulate: bool) -> AsyncIterator[Bench]:
    async with Bench(anvil.port) as proxy:
        if not has_simulate:
            proxy.refused_methods.add("eth_simulateV1")
        options = EvmOptions(url=proxy.ws_url, chain_id=ChainId(31337))
        async with EvmChain(options, WallClock()) as proxy.chain:
            proxy.simulator = NodeSimulator(proxy.chain.client)
            yield proxy


def transaction(sender: Address = SENDER, gas_limit: int = 1_000_000, max_fee_wei: int = 10**11) -> UnsignedTransaction:
    return UnsignedTransaction(ChainId(31337), sender, TARGET, 0, b"\x01\x02", gas_limit, max_fee_wei, 1)


def context(head: BlockHeader) -> BlockContext:
    return BlockContext(head.number + 1, head.timestamp + 777, 12345, COINBASE)


def words(at: BlockContext) -> str:
    return f"0x{at.number:064x}{at.timestamp:064x}{at.base_fee_wei:064x}{int(at.coinbase, 16):064x}"


def test_it_is_a_simulator(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with bench(anvil, has_simulate=True) as here:
            simulator: Simulator = here.simulator
            assert simulator is here.simulator

    asyncio.run(scenario())


def test_it_gives_the_gas_and_the_logs_of_the_very_transaction(anvil: Anvil, rpc: Rpc) -> None:
    rpc.request("anvil_setCode", TARGET, LOGGING)

    async def scenario() -> SimulationResult:
        async with bench(anvil, has_simulate=True) as here:
            head = await here.chain.head()
            result = await here.run()
            assert [log.data for log in result.logs] == [words(context(head))]
            assert result.logs[0].address == TARGET
            return result

    result = asyncio.run(scenario())
    assert (result.is_success, result.revert_data, result.has_logs) == (True, "", True)
    sent = {"from": SENDER, "to": TARGET, "data": "0x0102", "gas": "0xf4240"}
    tx_hash = text(rpc.request("eth_sendTransaction", sent))
    rpc.request("evm_mine")

    async def receipt() -> None:
        async with bench(anvil, has_simulate=True) as here:
            mined = await here.chain.receipt(Hash32(tx_hash))
            assert mined is not None
            assert abs(mined.gas_used - result.gas_used) <= 100  # zero bytes of the words, and the coinbase's warmth

    asyncio.run(receipt())


@pytest.mark.parametrize("has_simulate", [True, False])
def test_a_revert_is_a_result_with_the_contracts_data(anvil: Anvil, rpc: Rpc, *, has_simulate: bool) -> None:
    rpc.request("anvil_setCode", TARGET, REVERTING)

    async def scenario() -> None:
        async with bench(anvil, has_simulate=has_simulate) as here:
            head = await here.chain.head()
            result = await here.run()
            assert not result.is_success
            assert result.revert_data == words(context(head))
            assert result.message
            assert result.logs == ()
            assert result.has_logs == has_simulate

    asyncio.run(scenario())


def test_running_out_of_gas_is_a_result(anvil: Anvil, rpc: Rpc) -> None:
    rpc.request("anvil_setCode", TARGET, SPINNING)

    async def scenario() -> None:
        async with bench(anvil, has_simulate=True) as here:
            result = await here.run(transaction(gas_limit=50_000))
            assert (result.is_success, result.gas_used) == (False, 50_000)

    asyncio.run(scenario())


def test_without_the_method_it_estimates_in_the_same_block_and_says_that_it_knows_no_logs(
    anvil: Anvil, rpc: Rpc
) -> None:
    rpc.request("anvil_setCode", TARGET, LOGGING)

    async def scenario() -> None:
        async with bench(anvil, has_simulate=True) as full:
            true_result = await full.run()
        async with bench(anvil, has_simulate=False) as here:
            result = await here.run()
            assert result.is_success
            assert (result.logs, result.has_logs) == ((), False)
            assert true_result.gas_used <= result.gas_used <= true_result.gas_used * 1.1
            assert here.seen["eth_simulateV1"] == 1

    asyncio.run(scenario())


def test_what_the_node_lacks_is_asked_once_for_each_connection(anvil: Anvil, rpc: Rpc) -> None:
    rpc.request("anvil_setCode", TARGET, LOGGING)

    async def scenario() -> None:
        async with bench(anvil, has_simulate=False) as here:
            for _ in range(3):
                assert not (await here.run()).has_logs
            assert here.seen["eth_simulateV1"] == 1
            here.refused_methods.clear()
            await here.chain.close()
            assert (await here.run()).has_logs
            assert here.seen["eth_simulateV1"] == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("has_simulate", [True, False])
@pytest.mark.parametrize("what", ["poor sender", "unknown parent"])
def test_what_is_not_the_contracts_doing_is_an_error(anvil: Anvil, rpc: Rpc, what: str, *, has_simulate: bool) -> None:
    rpc.request("anvil_setCode", TARGET, LOGGING)

    async def scenario() -> None:
        async with bench(anvil, has_simulate=has_simulate) as here:
            head = await here.chain.head()
            parent = head.hash if what == "poor sender" else Hash32("0x" + "11" * 32)
            sender = Address("0x" + "99" * 20) if what == "poor sender" else SENDER
            with pytest.raises(RpcError):
                await here.simulator.simulate(transaction(sender=sender), parent, context(head))

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", [b"[]", b'[{"calls":[]}]', b'[{"calls":[{"status":"0x1"}]}]', b"{}", b"7"])
def test_garbage_is_named(anvil: Anvil, answer: bytes) -> None:
    async def scenario() -> None:
        async with bench(anvil, has_simulate=True) as here:
            here.answer_with("eth_simulateV1", answer)
            with pytest.raises(MalformedAnswerError, match="eth_simulateV1"):
                await here.run()

    asyncio.run(scenario())
