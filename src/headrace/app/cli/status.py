"""`headrace status`."""

from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from headrace.app.config.load import load_config


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show what the journal knows: open transactions, limits in use, profit and loss."""
    perform("headrace.app.status:status", as_json=as_json, config=load_config(config))
