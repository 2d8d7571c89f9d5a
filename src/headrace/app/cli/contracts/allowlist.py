"""`headrace contracts allowlist`: the configured start tokens beside the Executor's list, and the calls that close it.

A token that is configured and not listed makes every plan in it revert. A token that is listed and not a start token is
no fault: the list is also what the guard protects, so taking one off is the owner's choice and only shown.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from headrace.app.cli.contracts.owner_calls import OwnerCall, call_lines, owner_call
from headrace.app.cli.contracts.place import Place
from headrace.app.cli.contracts.state import read_state, those_that_are
from headrace.app.places import Report
from headrace.model.address import checksum
from headrace.model.executor_call import SetListed

if TYPE_CHECKING:
    from rich.console import Console

_MISSING = 1
_LISTED, _NATIVE, _UNLISTED, _EXTRA = "listed", "wrapped native", "not listed", "listed, no start token"


class TokenRow(msgspec.Struct, frozen=True):
    """One configured token and how it stands."""

    symbol: str
    address: str
    status: str


class Allowlist(msgspec.Struct, frozen=True):
    """The comparison at one block.

    Attributes:
        chain: by its name in the configuration.
        contract: the Executor.
        block: at which it was asked.
        owner: who can change the list.
        tokens: all start tokens, and the other configured tokens that are listed.
        to_list: the owner's call that lists what is missing, None where nothing is.
        to_unlist: the owner's call that takes the others off, None where there are none.
        exit_code: 1 where a start token is missing.
    """

    chain: str
    contract: str
    block: int
    owner: str
    tokens: tuple[TokenRow, ...]
    to_list: OwnerCall | None
    to_unlist: OwnerCall | None
    exit_code: int


def allowlist(*, report: Report, place: Place) -> Allowlist:
    """Compare.

    Raises:
        DeploymentError: what is there does not answer like an Executor.
        ChainError: the node failed, or serves another chain.
    """
    report(f"connecting to {place.chain}")
    return asyncio.run(_compare(place))


def render(result: object, console: "Console") -> None:
    """The tokens, then what the owner would send."""
    assert isinstance(result, Allowlist)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(result: Allowlist) -> Iterator[str]:
    yield f"{result.contract} on {result.chain} at block {result.block}"
    for row in result.tokens:
        yield f"  {row.symbol:12} {row.address} {row.status}"
    if result.to_list is None:
        yield "profit may be counted in every start token"
    else:
        yield f"for its owner {result.owner} to send:"
        yield from call_lines((result.to_list,))
    if result.to_unlist is not None:
        yield "only if the Executor is to hold nothing of them: the guard protects what is listed"
        yield from call_lines((result.to_unlist,))


async def _compare(place: Place) -> Allowlist:
    section = place.section
    async with place.connect() as chain:
        head = await chain.head()
        state = await read_state(chain, place.executor, head.hash)
        asked = section.tokens.values()
        listed = frozenset(await those_that_are(chain, place.executor, "isListed(address)", asked, head.hash))
    starts = {symbol: section.tokens[symbol] for symbol in section.start_tokens}
    missing = {s: t for s, t in starts.items() if t not in listed and t != state.wrapped_native}
    extra = {s: t for s, t in section.tokens.items() if t in listed and s not in starts}
    status = {s: _UNLISTED if s in missing else _LISTED if t in listed else _NATIVE for s, t in starts.items()}
    rows = {**status, **dict.fromkeys(extra, _EXTRA)}
    to_list = SetListed(tuple(missing.values()), is_listed=True)
    to_unlist = SetListed(tuple(extra.values()), is_listed=False)
    why, why_not = f"lists {', '.join(missing)}", f"takes {', '.join(extra)} off the list"
    return Allowlist(
        chain=place.chain,
        contract=checksum(place.executor),
        block=head.number,
        owner=checksum(state.owner),
        tokens=tuple(TokenRow(symbol, checksum(section.tokens[symbol]), told) for symbol, told in rows.items()),
        to_list=owner_call(place.executor, to_list, why) if missing else None,
        to_unlist=owner_call(place.executor, to_unlist, why_not) if extra else None,
        exit_code=_MISSING if missing else 0,
    )
