"""`headrace contracts verify`: whether the code at an address is the Executor that was built from these sources."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from headrace.app.cli.contracts.deployment import require_build
from headrace.app.cli.contracts.place import Place
from headrace.app.cli.contracts.state import read_state
from headrace.app.places import Report
from headrace.model.address import checksum, keccak_hex

if TYPE_CHECKING:
    from rich.console import Console

_DIFFERS = 1


class Verdict(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        chain: by its name in the configuration.
        contract: the address looked at.
        code_hash: keccak256 of the code there.
        difference: in what it is not what it should be; empty where nothing is wrong.
        owner: as the code holds it; empty where the code is another.
        wrapped_native: likewise.
        wrapped_native_configured: what the configuration says.
        exit_code: 1 where there is a difference.
    """

    chain: str
    contract: str
    code_hash: str
    difference: str
    owner: str
    wrapped_native: str
    wrapped_native_configured: str
    exit_code: int


def verify(*, report: Report, place: Place) -> Verdict:
    """Compare code and immutables.

    Raises:
        DeploymentError: the contracts are not built here.
        ChainError: the node failed, or serves another chain.
    """
    report(f"connecting to {place.chain}")
    return asyncio.run(_verify(place))


def render(result: object, console: "Console") -> None:
    """The verdict, then who owns it."""
    assert isinstance(result, Verdict)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(result: Verdict) -> Iterator[str]:
    verdict = f"NOT as it should be: {result.difference}" if result.difference else "the code is the one built here"
    yield f"{result.contract} on {result.chain}: {verdict}"
    yield f"  code hash      {result.code_hash}"
    if result.owner:
        yield f"  owner          {result.owner}"
        yield f"  wrapped native {result.wrapped_native}"


async def _verify(place: Place) -> Verdict:
    build = require_build()
    async with place.connect() as chain:
        head = await chain.head()
        code = await chain.code(place.executor)
        difference = build.difference(code)
        owner = native = ""
        configured = place.section.wrapped_native_address
        if not difference:
            state = await read_state(chain, place.executor, head.hash)
            owner, native = checksum(state.owner), checksum(state.wrapped_native)
            if sorted(build.addresses(code)) != sorted((state.owner, state.wrapped_native)):
                difference = "it answers other addresses than its code holds"
            elif state.wrapped_native != configured:
                difference = f"its wrapped native coin is {native}, configured is {checksum(configured)}"
        return Verdict(
            chain=place.chain,
            contract=checksum(place.executor),
            code_hash=keccak_hex(code),
            difference=difference,
            owner=owner,
            wrapped_native=native,
            wrapped_native_configured=checksum(configured),
            exit_code=_DIFFERS if difference else 0,
        )
