"""Mined transactions run again behind the earlier ones of their block; the oracle is the chain's own receipts."""

import asyncio

from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.simulators.node.simulator import NodeSimulator
from headrace.devnet.driver import Driver
from headrace.devnet.world import Devnet
from headrace.model.address import ChainId, Hash32
from headrace.model.transaction import Receipt, SimulationResult

BLOCKS = 6
Pair = tuple[Receipt, SimulationResult | None]


async def replays() -> tuple[list[Pair], SimulationResult | None, SimulationResult | None]:
    """Every transaction of a few blocks of trading."""
    with Devnet.start(seed=5) as devnet:
        reports = await Driver(devnet, 5).run(BLOCKS)
        async with EvmChain(EvmOptions(url=devnet.anvil.ws_url, chain_id=ChainId(31337)), WallClock()) as chain:
            simulator = NodeSimulator(chain.client)
            pairs: list[Pair] = []
            for report in reports:
                raw = devnet.rpc.request("eth_getBlockByHash", report.hash, False)
                assert isinstance(raw, dict)
                for name in raw["transactions"]:
                    receipt = await chain.receipt(Hash32(name))
                    assert receipt is not None
                    pairs.append((receipt, await simulator.replay(report.hash, Hash32(name))))
            foreign = await simulator.replay(reports[-1].hash, Hash32("0x" + "11" * 32))
            unknown = await simulator.replay(Hash32("0x" + "22" * 32), pairs[0][0].tx_hash)
            return pairs, foreign, unknown


def test_a_replay_ends_as_the_transaction_did_with_the_same_gas_and_logs() -> None:
    pairs, foreign, unknown = asyncio.run(replays())
    told = [(receipt, result) for receipt, result in pairs if result is not None]  # anvil runs no creation again
    for receipt, result in told:
        assert result.is_success is receipt.is_success
        assert result.gas_used == receipt.gas_used
        assert [(log.address, log.topics, log.data) for log in result.logs] == [
            (log.address, log.topics, log.data) for log in receipt.logs
        ]
    assert sum(receipt.is_success for receipt, _ in told) >= 20
    assert sum(not receipt.is_success for receipt, _ in told) >= 1
    assert foreign is None
    assert unknown is None
