"""A devnet's pools as the market stage wants them: read from its manifest, with the project's own protocols."""

from collections.abc import Mapping, Sequence

from headrace.adapters.protocols.balancer_v2.dex import BalancerV2
from headrace.adapters.protocols.uniswap_v2.dex import UniswapV2
from headrace.adapters.protocols.uniswap_v3.dex import UniswapV3
from headrace.devnet.market import Market as Manifest
from headrace.model.address import Hash32
from headrace.model.pool import Pool, ProtocolId
from headrace.pipeline.market.market import Market
from headrace.ports.chain import Chain
from headrace.ports.pool import DEX, PoolState


def dexes_of(manifest: Manifest) -> Mapping[ProtocolId, DEX]:
    fees = {one.name: one.fee_pips for one in manifest.exchanges if one.fee_pips is not None}
    protocols: Sequence[DEX] = (UniswapV2(fees), UniswapV3(), BalancerV2())
    return {dex.protocol_id: dex for dex in protocols}


async def pools_of(manifest: Manifest, dexes: Mapping[ProtocolId, DEX], chain: Chain, block: Hash32) -> list[Pool]:
    return [
        await dexes[ProtocolId(exchange.protocol)].describe(chain, exchange.name, pool.id, block)
        for exchange in manifest.exchanges
        for pool in exchange.pools
    ]


async def open_market(manifest: Manifest, chain: Chain, depth: int = 64) -> Market:
    dexes = dexes_of(manifest)
    head = await chain.head()
    return Market(await pools_of(manifest, dexes, chain, head.hash), dexes, {}, depth)


async def read_from_scratch(manifest: Manifest, chain: Chain, block: Hash32) -> tuple[PoolState, ...]:
    dexes = dexes_of(manifest)
    pools = await pools_of(manifest, dexes, chain, block)
    states: dict[str, PoolState] = {}
    for protocol, dex in dexes.items():
        mine = [pool for pool in pools if pool.protocol == protocol]
        states |= {state.pool.id: state for state in await dex.read(chain, mine, block)}
    return tuple(states[pool.id] for pool in pools)
