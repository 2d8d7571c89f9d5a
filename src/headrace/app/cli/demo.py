"""`headrace demo`."""

from typing import Annotated

import typer

from headrace.app.cli.deferred import perform
from headrace.app.cli.options import AsJson

_DEFAULT_BLOCKS = 200


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Seed of traders and rivals; the same seed gives the same run.")] = 1,
    blocks: Annotated[
        int,
        typer.Option(
            min=1,
            max=100_000,
            help="Length of the run; a short one may end, with exit code 1, before each engine had its turn.",
        ),
    ] = _DEFAULT_BLOCKS,
    block_time: Annotated[
        float | None,
        typer.Option(
            min=0.05,
            max=3600,
            help="Seconds between blocks on a real clock; without it a block is mined when the agent has finished.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a local market with real protocol contracts, find arbitrage in it and settle it."""
    perform(
        "headrace.app.demo:run_demo",
        as_json=as_json,
        log_level="warning",
        seed=seed,
        blocks=blocks,
        block_time_seconds=block_time,
    )
