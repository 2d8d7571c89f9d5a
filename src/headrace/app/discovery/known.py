"""The pools that a run takes from what was discovered before: read from disk, no node is asked."""

from collections.abc import Mapping

from headrace.adapters.stores.catalogue.file import catalogue_path
from headrace.app.config.tree import Config
from headrace.app.discovery.venues import factory_of, heading_of, open_catalogue, why_refused
from headrace.errors import UsageError
from headrace.model.creation import Creation


def discovered_creations(config: Config, chain_name: str) -> Mapping[str, tuple[Creation, ...]]:
    """By venue, the creations that nothing speaks against, of all venues that say `discover`.

    Raises:
        UsageError: nothing was discovered of such a venue yet.
        CatalogueError: what was discovered cannot be read, or is of something else.
    """
    chain = config.chains[chain_name]
    found: dict[str, tuple[Creation, ...]] = {}
    for name, venue in config.protocols[chain_name].items():
        if venue.discover is None:
            continue
        heading = heading_of(chain, factory_of(name, venue), venue.discover.from_block)
        if not catalogue_path(config.data_dir, heading).exists():
            raise UsageError(f"nothing was discovered of {name} yet: `headrace market discover --chain {chain_name}`")
        with open_catalogue(config.data_dir, heading, is_writer=False) as catalogue:
            found[name] = tuple(one for one in catalogue.creations if not why_refused(one))
    return found
