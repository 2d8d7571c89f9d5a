"""All commands, put together."""

from typing import Annotated

import typer

from headrace.app.cli import (
    config,
    contracts,
    demo,
    devnet,
    doctor,
    market,
    pending,
    plan,
    quote,
    release,
    run,
    scan,
    status,
    wallet,
)


def build() -> typer.Typer:
    """The `headrace` command."""
    application = typer.Typer(
        name="headrace",
        help="Finds arbitrage on decentralised exchanges and settles it, exactly and provably.",
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with locals could show a key
        callback=_options,
    )
    application.command()(demo.demo)
    application.command()(run.run)
    application.command()(scan.scan)
    application.command()(quote.quote)
    application.command()(pending.pending)
    application.command()(status.status)
    application.command()(release.release)
    application.command()(doctor.doctor)
    application.add_typer(market.application, name="market")
    application.add_typer(plan.application, name="plan")
    application.add_typer(contracts.application, name="contracts")
    application.add_typer(devnet.application, name="devnet")
    application.add_typer(wallet.application, name="wallet")
    application.add_typer(config.application, name="config")
    return application


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version  # noqa: PLC0415 - needed by one flag

        typer.echo(version("headrace"))
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    assert not version, "the callback has ended the command"
