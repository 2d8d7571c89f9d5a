"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("headrace.yaml")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
ChainName = Annotated[str, typer.Option("--chain", help="A chain of the configuration; by default the agents' own.")]
PassphraseFd = Annotated[
    int | None, typer.Option("--passphrase-fd", min=0, help="Read the passphrase from this open file descriptor.")
]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Read the passphrase from this file of mode 600.")
]
