"""A venue's factory and the file of its pools."""

from pathlib import Path

from headrace.adapters.factories.balancer_v2 import BalancerV2Vault
from headrace.adapters.factories.balancer_v3 import BalancerV3Vault
from headrace.adapters.factories.curve import CurvePoolList
from headrace.adapters.factories.solidly import SolidlyFactory
from headrace.adapters.factories.uniswap_v2 import UniswapV2Factory
from headrace.adapters.factories.uniswap_v3 import UniswapV3Factory
from headrace.adapters.factories.uniswap_v4 import UniswapV4Manager
from headrace.adapters.protocols.uniswap_v4.key import PoolKey, tradable
from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading, catalogue_path
from headrace.app.config.places import ChainConfig, Venue
from headrace.errors import ConfigError, MalformedPoolError
from headrace.model.address import ChainId
from headrace.model.creation import Creation
from headrace.ports.factory import Factory

LISTED = frozenset({"curve_stableswap", "curve_cryptoswap"})  # whose pools name no factory: its list names them


def factory_of(name: str, venue: Venue) -> Factory | CurvePoolList:  # noqa: PLR0911 - one for each protocol
    """What makes a venue's pools.

    Raises:
        ConfigError: the venue names no contract whose events or list tell its pools.
    """
    if venue.factory is not None and venue.protocol == "uniswap_v2":
        return UniswapV2Factory(venue.factory, venue.init_code_hash)
    if venue.factory is not None and venue.protocol == "uniswap_v3":
        return UniswapV3Factory(venue.factory, venue.init_code_hash, venue.deployer)
    if venue.vault is not None and venue.protocol in ("balancer_v2", "balancer_v2_stable"):
        return BalancerV2Vault(venue.vault)
    if venue.vault is not None and venue.protocol == "balancer_v3":
        return BalancerV3Vault(venue.vault)
    if venue.vault is not None and venue.protocol == "uniswap_v4":
        return UniswapV4Manager(venue.vault)
    if venue.factory is not None and venue.protocol == "solidly":
        return SolidlyFactory(venue.factory, venue.init_code_hash)
    if venue.factory is not None and venue.protocol in LISTED:
        return CurvePoolList(venue.protocol, venue.factory)
    raise ConfigError(f"pools of {name} ({venue.protocol}) cannot be discovered: list them under `pools`")


def why_refused(creation: Creation) -> str:
    """Why a pool is never followed, as far as its creation tells; empty where nothing speaks against it.

    What its factory's rule does not give, and what its protocol refuses by the key alone: hooks that take part in
    swaps, dynamic fees. The rest is known when the pool is described.
    """
    key = v4_key(creation)
    if creation.flaw or key is None:
        return creation.flaw
    try:
        tradable(creation.pool, key)
    except MalformedPoolError as error:
        return f"{error.field}: {error.why}"
    return ""


def v4_key(creation: Creation) -> PoolKey | None:
    """The key of a v4 pool, which is not on the chain: it is what its creation said. None for every other pool."""
    if creation.hooks is None or creation.fee_pips is None or creation.tick_spacing is None:
        return None
    low, high = creation.tokens
    return PoolKey(low, high, creation.fee_pips, creation.tick_spacing, creation.hooks)


def heading_of(chain: ChainConfig, factory: Factory | CurvePoolList, first_block: int) -> Heading:
    """What the file of a factory's pools must say of itself."""
    return Heading(
        chain_id=ChainId(chain.chain_id),
        factory=factory.address,
        topics=factory.topics,
        proof=factory.proof,
        first_block=first_block,
    )


def open_catalogue(folder: Path, heading: Heading, *, is_writer: bool) -> CatalogueFile:
    """The file in the data folder.

    Raises:
        CatalogueError: it cannot be used, or is missing and only to be read.
    """
    return CatalogueFile(catalogue_path(folder, heading), heading, is_writer=is_writer)
