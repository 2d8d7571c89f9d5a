"""`headrace scan`."""

from headrace.app.cli.chosen_chain import chosen_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config


def scan(config: ConfigFile = DEFAULT_CONFIG, chain: ChainName = "", as_json: AsJson = False) -> None:
    """Show the opportunities in the market as it is now; nothing is traded."""
    loaded = load_config(config)
    perform("headrace.app.scan:scan", as_json=as_json, config=loaded, chain=chosen_chain(loaded, chain))
