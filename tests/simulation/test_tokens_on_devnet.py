"""Every token of the devnet is honest, and is found so through its pools of Uniswap v2, v3 and Balancer v2."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.support.devnet_market import dexes_of, pools_of
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.inspectors.node.inspector import NodeInspector
from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app.config.places import TokenCheck
from headrace.app.tokens import TokenDesk
from headrace.devnet.artifacts import own_runtime_code
from headrace.devnet.world import Devnet
from headrace.model.address import Address, ChainId
from headrace.model.pool import ProtocolId


async def judged(devnet: Devnet, file: VerdictFile, protocols: set[ProtocolId]) -> Mapping[Address, str]:
    market = devnet.market
    dexes, probe = dexes_of(market), own_runtime_code("TokenProbe")
    async with EvmChain(EvmOptions(url=devnet.anvil.ws_url, chain_id=ChainId(market.chain_id)), WallClock()) as chain:
        head = await chain.head()
        pools = [one for one in await pools_of(market, dexes, chain, head.hash) if one.protocol in protocols]
        inspector = NodeInspector(chain.client, chain, dexes, market.wrapped_native, probe)
        desk = TokenDesk(TokenCheck(), market.wrapped_native, inspector, file, lambda _: None)
        return await desk.judge(pools, head)


def test_the_devnet_s_tokens_are_honest_through_every_protocol(tmp_path: Path) -> None:
    with Devnet.start(1) as devnet:
        for protocol in ("uniswap_v2", "uniswap_v3", "balancer_v2"):
            file = VerdictFile(tmp_path / f"{protocol}.json", ChainId(devnet.market.chain_id))
            assert asyncio.run(judged(devnet, file, {ProtocolId(protocol)})) == {}
            print(protocol, len(file.read()))  # noqa: T201 - how many were tried is part of the result
            assert len(file.read()) >= 3
            assert all(one.lie is None for one in file.read())
