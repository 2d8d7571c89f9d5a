"""`headrace run`."""

from typing import Annotated

import typer

from headrace.app.cli.deferred import perform
from headrace.app.cli.live import require_live
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, PassphraseFd, PassphraseFile
from headrace.app.cli.passphrase import passphrase_source, read_passphrase
from headrace.app.config.load import load_config
from headrace.model.address import checksum

_BLOCKS_HELP = (
    "Trade for this many blocks; then nothing new is traded, and what is open is watched until it has ended or is some"
    " blocks past its deadline (exit code 1: it is left to the next start)."
)


def run(
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    live: Annotated[bool, typer.Option("--live", help="Sign and send. Without it nothing is sent.")] = False,
    allow_public: Annotated[
        bool,
        typer.Option("--allow-public", help="Send through the public mempool, where others can see and copy trades."),
    ] = False,
    blocks: Annotated[int | None, typer.Option(min=1, help=_BLOCKS_HELP)] = None,
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Run the agents of a configuration: a dry run, unless --live is given."""
    source = passphrase_source(passphrase_fd, passphrase_file)
    loaded = load_config(config)
    passphrase = None
    if live:
        wallet = require_live(loaded, allow_public=allow_public)
        prompt = f"Passphrase of {checksum(wallet.address)}: "
        passphrase = read_passphrase(source or wallet.passphrase, prompt).encode()
    perform(
        "headrace.app.agents:run", as_json=as_json, config=loaded, is_live=live, passphrase=passphrase, blocks=blocks
    )
