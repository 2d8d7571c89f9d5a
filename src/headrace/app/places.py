"""The parts of one chain, wired from a configuration: node, protocols, pools, oracle, lenders."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.gathering import GatheringChain
from headrace.adapters.chains.evm.l1_fee import L1DataFee
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.chains.evm.private_chain import PrivateEvmChain
from headrace.adapters.inspectors.node.inspector import NodeInspector
from headrace.adapters.metadata.erc20 import TokenReader
from headrace.adapters.oracles.chainlink.oracle import ChainlinkFeed, ChainlinkOracle
from headrace.adapters.protocols.uniswap_v4 import UniswapV4Venue
from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app.clock import SystemClock
from headrace.app.config.places import ChainConfig
from headrace.app.config.tree import Config
from headrace.app.dexes import every_dex
from headrace.app.discovery.following import Following, Funnel
from headrace.app.discovery.measuring import Measuring
from headrace.app.lenders import flash_sources
from headrace.app.tokens import TokenDesk, probe_code
from headrace.errors import ConfigError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool, ProtocolId
from headrace.model.token import Token
from headrace.ports.chain import Chain
from headrace.ports.flash_source import FlashSource
from headrace.ports.pool import DEX

_UNISWAP_V4 = ProtocolId("uniswap_v4")
Report = Callable[[str], None]
log = structlog.get_logger("headrace")


class Places(msgspec.Struct, frozen=True):
    """One chain as configured, read once.

    `left_out` says which pools are not traded, and why; `funnel` counts those that are not even followed.
    """

    config: Config
    chain: EvmChain
    dexes: Mapping[ProtocolId, DEX]
    pools: tuple[Pool, ...]
    tokens: Mapping[Address, Token]
    oracle: ChainlinkOracle
    sources: tuple[FlashSource, ...]
    l1_fee: L1DataFee
    left_out: tuple[str, ...]
    funnel: Funnel
    token_desk: TokenDesk

    async def refresh(self, head: BlockHeader) -> None:
        """Read prices and what lenders hold and allow, off the hot path; a lender that closes or opens is told.

        Raises:
            ChainError: the node failed; what was read before stays, and prices grow old.
        """
        before = self._closed()
        reads = [source.refresh(self.chain, head.hash) for source in self.sources]
        fees = (self.oracle.refresh(self.chain, head), self.l1_fee.refresh(self.chain, head.hash))
        results = await asyncio.gather(*fees, *reads, return_exceptions=True)
        for result in results:
            if result is not None:
                raise result
        self.token_desk.begin_renewal(head)
        after = self._closed()
        for why in sorted(after - before):
            log.warning("lender closed", why=why)
        for why in sorted(before - after):
            log.info("lender no longer closed", by=why)

    def _closed(self) -> set[str]:
        """What forbids loans of the tokens that routes begin with."""
        tokens = self.config.chain.start_token_addresses
        return {why for source in self.sources for token in tokens if (why := source.why_closed(token))}


@asynccontextmanager
async def open_places(config: Config, chain_name: str, report: Report) -> AsyncIterator[Places]:
    """Connect to a chain and read what is configured there.

    Raises:
        WrongChainError: the node serves another chain.
        ChainError: the node failed.
        ConfigError: a configured token or venue cannot be used.
    """
    section = config.chains[chain_name]
    report(f"connecting to {chain_name}")
    async with _chain(section) as chain:
        head = await chain.head()
        dexes = _dexes(config, chain_name)
        report(f"reading the pools of {chain_name}")
        gathering = GatheringChain(chain, section.multicall)
        oracle = _oracle(config, chain_name)
        if section.follow is not None:
            await oracle.refresh(chain, head)
        measuring = Measuring(chain, section, dexes, oracle)
        followed = await Following(config, chain_name, gathering, dexes).pools(head, measuring)
        report(str(followed.funnel))
        described, left_out = followed.pools, list(followed.left_out)
        tokens, unusable = await _read_tokens(config, chain_name, gathering, described, head.hash)
        pools = tuple(pool for pool in described if all(token in tokens for token in pool.tokens))
        left_out += [f"pool {p.id}: a token {unusable[t]}" for p in described for t in p.tokens if t in unusable]
        token_desk = _token_desk(config, chain_name, chain, dexes, report)
        unfit = await token_desk.judge(pools, head)
        left_out += [f"pool {pool.id}: token {t} is {unfit[t]}" for pool in pools for t in pool.tokens if t in unfit]
        pools = tuple(pool for pool in pools if unfit.keys().isdisjoint(pool.tokens))
        places = Places(
            config=config,
            chain=chain,
            dexes=dexes,
            pools=pools,
            tokens=tokens,
            oracle=oracle,
            sources=flash_sources(config, chain_name, pools),
            l1_fee=L1DataFee(section.rules.l1_fee_oracle),
            left_out=tuple(left_out),
            funnel=followed.funnel,
            token_desk=token_desk,
        )
        try:
            await places.refresh(head)
            yield places
        finally:
            await token_desk.close()


def _chain(section: ChainConfig) -> EvmChain:
    options = EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id))
    if section.private_rpc is None:
        return EvmChain(options, SystemClock())
    return PrivateEvmChain(options, SystemClock(), section.private_rpc.reveal())


def _token_desk(
    config: Config, chain_name: str, chain: EvmChain, dexes: Mapping[ProtocolId, DEX], report: Report
) -> TokenDesk:
    section, code = config.chains[chain_name], probe_code()
    native, verdicts = section.wrapped_native_address, VerdictFile(config.verdicts_path(chain_name), chain.chain_id)
    inspector = None if code is None else NodeInspector(chain.client, chain, dexes, native, code)
    return TokenDesk(section.token_check, native, inspector, verdicts, report)


def _dexes(config: Config, chain_name: str) -> dict[ProtocolId, DEX]:
    venues = config.protocols[chain_name]
    fees = {name: venue.fee_pips for name, venue in venues.items() if venue.fee_pips is not None}
    used = {venue.protocol for venue in venues.values()}
    managers = {
        name: UniswapV4Venue(venue.vault, venue.positions)
        for name, venue in venues.items()
        if venue.protocol == _UNISWAP_V4 and venue.vault is not None
    }
    return {protocol: dex for protocol, dex in every_dex(fees, managers).items() if protocol in used}


async def _read_tokens(
    config: Config, chain_name: str, chain: Chain, pools: Sequence[Pool], block: Hash32
) -> tuple[Mapping[Address, Token], Mapping[Address, str]]:
    symbols = {address: symbol for symbol, address in config.chains[chain_name].tokens.items()}
    addresses = list(dict.fromkeys([*symbols, *(token for pool in pools for token in pool.tokens)]))
    metadata = await TokenReader(chain, chain.chain_id, symbols).read(addresses, block)
    for address, symbol in symbols.items():
        if address in metadata.unusable:
            raise ConfigError(f"token {symbol} at {address} does not tell its decimals: is it a token of this chain?")
    return metadata.tokens, metadata.unusable


def _oracle(config: Config, chain_name: str) -> ChainlinkOracle:
    section = config.chains[chain_name]
    feeds = [
        ChainlinkFeed(section.tokens[symbol], feed.address, feed.max_age_seconds)
        for symbol, feed in section.price_feeds.items()
    ]
    return ChainlinkOracle(feeds)
