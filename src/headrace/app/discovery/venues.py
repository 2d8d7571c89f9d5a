"""A venue's factory and the file of its pools."""

from pathlib import Path

from headrace.adapters.factories.balancer_v2 import BalancerV2Vault
from headrace.adapters.factories.solidly import SolidlyFactory
from headrace.adapters.factories.uniswap_v2 import UniswapV2Factory
from headrace.adapters.factories.uniswap_v3 import UniswapV3Factory
from headrace.adapters.factories.uniswap_v4 import UniswapV4Manager
from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading, catalogue_path
from headrace.app.config.places import ChainConfig, Venue
from headrace.errors import ConfigError
from headrace.model.address import ChainId
from headrace.ports.factory import Factory


def factory_of(name: str, venue: Venue) -> Factory:
    """What makes a venue's pools.

    Raises:
        ConfigError: the venue's protocol has no factory whose events tell its pools.
    """
    if venue.factory is not None and venue.protocol == "uniswap_v2":
        return UniswapV2Factory(venue.factory, venue.init_code_hash)
    if venue.factory is not None and venue.protocol == "uniswap_v3":
        return UniswapV3Factory(venue.factory, venue.init_code_hash, venue.deployer)
    if venue.vault is not None and venue.protocol == "balancer_v2":
        return BalancerV2Vault(venue.vault)
    if venue.vault is not None and venue.protocol == "uniswap_v4":
        return UniswapV4Manager(venue.vault)
    if venue.factory is not None and venue.protocol == "solidly":
        return SolidlyFactory(venue.factory, venue.init_code_hash)
    raise ConfigError(f"pools of {name} ({venue.protocol}) cannot be discovered: list them under `pools`")


def heading_of(chain: ChainConfig, factory: Factory, first_block: int) -> Heading:
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
