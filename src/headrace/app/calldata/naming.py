"""What addresses are called: symbols and venues from the configuration, decimals from the tokens themselves."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.metadata.erc20 import Metadata, TokenReader
from headrace.app.clock import SystemClock
from headrace.app.config.places import ChainConfig
from headrace.app.config.tree import Config
from headrace.errors import ChainError
from headrace.model.address import Address, ChainId
from headrace.model.token import Token

NO_CONFIG = "tokens are shown by address and amounts in their smallest units: --config names tokens and decimals"


class Names(msgspec.Struct, frozen=True):
    """What is known of some addresses.

    Attributes:
        tokens: those whose decimals are known.
        symbols: those that the configuration names.
        venues: the configuration's name of the exchange or lender, by pool, vault or contract.
        notes: what could not be found out, for people.
    """

    tokens: Mapping[Address, Token] = MappingProxyType({})
    symbols: Mapping[Address, str] = MappingProxyType({})
    venues: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = (NO_CONFIG,)


def names_of(config: Config, chain_name: str, tokens: Sequence[Address]) -> Names:
    """Ask the chain's node for the tokens' decimals; without an answer amounts stay in units, and a note says so."""
    section = config.chains[chain_name]
    symbols = {address: symbol for symbol, address in section.tokens.items()}
    venues = _venues(config, chain_name)
    try:
        read = asyncio.run(_read(section, tokens, symbols)) if tokens else Metadata({}, {})
    except ChainError as error:
        why = f"amounts are in the tokens' smallest units, since their decimals are not known: {error}"
        return Names(symbols=symbols, venues=venues, notes=(why,))
    notes = tuple(f"{why}: its amounts are in units" for why in read.unusable.values())
    return Names(read.tokens, symbols, venues, notes)


async def _read(section: ChainConfig, tokens: Sequence[Address], symbols: Mapping[Address, str]) -> Metadata:
    options = EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id))
    async with EvmChain(options, SystemClock()) as chain:
        head = await chain.head()
        return await TokenReader(chain, chain.chain_id, symbols).read(tokens, head.hash)


def _venues(config: Config, chain_name: str) -> Mapping[str, str]:
    named: dict[str, str] = {}
    for name, venue in config.protocols.get(chain_name, {}).items():
        for known in (*venue.contracts.values(), *venue.pools):
            named.setdefault(known, name)
    return named
