"""`headrace config check | show | schema`."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from headrace.app.cli.options import DEFAULT_CONFIG, AsJson
from headrace.app.cli.output import print_json, print_text
from headrace.app.config.load import load_config
from headrace.app.config.schema import json_schema
from headrace.app.config.shown import shown, to_yaml
from headrace.app.config.without_effect import without_effect
from headrace.errors import UsageError

File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="The same as --config.", show_default=False),
]
Option = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file. [default: headrace.yaml]", show_default=False),
]
application = typer.Typer(help="Check and show configuration files.", no_args_is_help=False)


class Checked(msgspec.Struct, frozen=True):
    """A file without a mistake; `without_effect` names settings that are accepted and that nothing acts on yet."""

    file: str
    chain: str
    pools: int
    is_valid: bool = True
    without_effect: tuple[str, ...] = ()


@application.command()
def check(argument: File = None, config: Option = None, as_json: AsJson = False) -> None:
    """Check a file; the first mistake is named with its line and what to do, and so is every setting without effect."""
    file = _chosen(argument, config)
    loaded = load_config(file)
    pools = sum(len(venue.pools) for venue in loaded.venues.values())
    idle = without_effect(loaded)
    if as_json:
        print_json(Checked(str(file), loaded.chain_name, pools, without_effect=idle))
        return
    print_text(f"{file} is valid: {len(loaded.agents)} agent(s) on {loaded.chain_name}, {pools} pools")
    for sentence in idle:
        print_text(f"warning: {sentence}")


@application.command()
def show(argument: File = None, config: Option = None, as_json: AsJson = False) -> None:
    """Print a file as it is understood: names resolved, amounts exact, secrets as references only."""
    loaded = load_config(_chosen(argument, config))
    if as_json:
        print_json(shown(loaded))
    else:
        print_text(to_yaml(loaded))


@application.command()
def schema(as_json: AsJson = False) -> None:
    """Print the JSON schema of configuration files, for editors."""
    if as_json:
        print_json(json_schema())
    else:
        print_text(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())


def _chosen(argument: Path | None, option: Path | None) -> Path:
    if argument is not None and option is not None:
        raise UsageError(f"{argument} and --config {option} are both given: name one file")
    return argument or option or DEFAULT_CONFIG
