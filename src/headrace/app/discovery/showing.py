"""`headrace market follow`: how many of the known pools a run would follow, and why the others not."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from headrace.app.config.tree import Config
from headrace.app.discovery.following import Funnel
from headrace.app.places import Report, open_places

if TYPE_CHECKING:
    from rich.console import Console

_REASONS_SHOWN = 20


class FollowReport(msgspec.Struct, frozen=True):
    """What a run would begin with.

    Attributes:
        chain: its name in the configuration.
        funnel: how many pools are known and followed, and how many are not, by cause.
        traded: by venue, how many are left once their tokens were judged as well.
        left_out: of each pool that was read and is not traded, why.
    """

    chain: str
    funnel: Funnel
    traded: dict[str, int]
    left_out: tuple[str, ...]


def follow(*, report: Report, config: Config, chain: str) -> FollowReport:
    """Choose as a run does; nothing is traded or kept.

    Raises:
        HeadraceError: the node or the configuration failed, or nothing was discovered yet.
    """
    return asyncio.run(_follow(report, config, chain))


def render(result: object, console: "Console") -> None:
    """The counts, one to a line, then reasons."""
    assert isinstance(result, FollowReport)
    console.print(f"{result.funnel.followed:,} of {result.funnel.known:,} pools are followed", highlight=False)
    for cause, count in result.funnel.left_out.items():
        console.print(f"{count:>11,}  left out: {cause}", highlight=False, markup=False)
    for venue, count in result.traded.items():
        console.print(f"{count:>11,}  traded on {venue}", highlight=False, markup=False)
    for why in result.left_out[:_REASONS_SHOWN]:
        console.print(why, highlight=False, markup=False)
    if len(result.left_out) > _REASONS_SHOWN:
        console.print(f"{len(result.left_out) - _REASONS_SHOWN:,} reasons more with --json", highlight=False)


async def _follow(report: Report, config: Config, chain: str) -> FollowReport:
    async with open_places(config, chain, report) as places:
        traded = Counter(pool.venue for pool in places.pools)
        return FollowReport(chain, places.funnel, dict(sorted(traded.items())), places.left_out)
