"""`headrace contracts roles`: everybody who may do something with an Executor, and its lists, as they are now."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.stores.deployments import DeploymentFile
from headrace.app.cli.contracts.creation import creation
from headrace.app.cli.contracts.events import named_in_events
from headrace.app.cli.contracts.place import Place
from headrace.app.cli.contracts.state import read_state, those_that_are
from headrace.app.places import Report
from headrace.model.address import ZERO_ADDRESS, Address, checksum
from headrace.model.token import decimal_text

if TYPE_CHECKING:
    from rich.console import Console

_BPS_DECIMALS = 2


class ListedToken(msgspec.Struct, frozen=True):
    """A token on the list; `symbol` where the configuration names it."""

    address: str
    symbol: str


class Roles(msgspec.Struct, frozen=True):
    """Who and what at one block; an empty address is nobody.

    Attributes:
        chain: by its name in the configuration.
        contract: the Executor.
        block: at which it was asked.
        from_block: from which events were read.
        owner: alone appoints, lists and withdraws.
        guardian: may pause.
        treasury: where operators may sweep tokens to.
        operators: may execute plans.
        former_operators: were appointed once, and are none now.
        tokens: on the list; wrapped native coin counts as listed without being there.
        wrapped_native: the coin that is one with native coin.
        is_paused: whether operators can do nothing.
        tip_share_max_bps: most of a profit that a plan may tip to the block's builder.
    """

    chain: str
    contract: str
    block: int
    from_block: int
    owner: str
    guardian: str
    treasury: str
    operators: tuple[str, ...]
    former_operators: tuple[str, ...]
    tokens: tuple[ListedToken, ...]
    wrapped_native: str
    is_paused: bool
    tip_share_max_bps: int


def roles(*, report: Report, place: Place, from_block: int | None) -> Roles:
    """Read the events since the deployment, then ask for each role whether it holds now.

    Raises:
        DeploymentError: what is there does not answer like an Executor.
        StoreError: the record of deployments cannot be read.
        ChainError: the node failed, or serves another chain.
    """
    return asyncio.run(_roles(place, from_block, report))


def render(result: object, console: "Console") -> None:
    """A line for each role."""
    assert isinstance(result, Roles)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(result: Roles) -> Iterator[str]:
    yield f"{result.contract} on {result.chain} at block {result.block}, events since block {result.from_block}"
    yield f"  owner           {result.owner}: appoints, lists, withdraws, unpauses"
    yield f"  guardian        {result.guardian or 'nobody'}: may pause"
    yield f"  treasury        {result.treasury or 'none'}: where operators may sweep to"
    for operator in result.operators or ("nobody",):
        yield f"  operator        {operator}: may execute plans"
    for operator in result.former_operators:
        yield f"  former operator {operator}: may do nothing"
    yield f"  wrapped native  {result.wrapped_native}: always as if listed"
    for token in result.tokens:
        yield f"  listed token    {token.address} {token.symbol}".rstrip()
    yield f"  paused          {'yes: operators can do nothing' if result.is_paused else 'no'}"
    yield f"  tips            up to {decimal_text(result.tip_share_max_bps, _BPS_DECIMALS)} % of a profit"


async def _roles(place: Place, from_block: int | None, report: Report) -> Roles:
    report(f"connecting to {place.chain}")
    symbols = {address: symbol for symbol, address in place.section.tokens.items()}
    async with place.connect() as chain:
        head = await chain.head()
        state = await read_state(chain, place.executor, head.hash)
        first = await _first_block(chain, place, report) if from_block is None else from_block

        def tell(percent: int) -> None:
            report(f"reading events: {percent} %")

        named = await named_in_events(chain, place.executor, min(first, head.number), head.number, tell)
        operators = await those_that_are(chain, place.executor, "isOperator(address)", named.operators, head.hash)
        tokens = await those_that_are(chain, place.executor, "isListed(address)", named.tokens, head.hash)
    return Roles(
        chain=place.chain,
        contract=checksum(place.executor),
        block=head.number,
        from_block=first,
        owner=checksum(state.owner),
        guardian=_holder(state.guardian),
        treasury=_holder(state.treasury),
        operators=tuple(map(checksum, operators)),
        former_operators=tuple(checksum(one) for one in named.operators if one not in operators),
        tokens=tuple(ListedToken(checksum(one), symbols.get(one, "")) for one in tokens),
        wrapped_native=checksum(state.wrapped_native),
        is_paused=state.is_paused,
        tip_share_max_bps=state.tip_share_max_bps,
    )


async def _first_block(chain: EvmChain, place: Place, report: Report) -> int:
    file = DeploymentFile(place.config.deployments_path(place.chain), chain.chain_id)
    created = await creation(chain, file, place.executor)
    if created is None:
        report("reading events from block 0, since nobody noted the deployment here: --from-block is quicker")
        return 0
    return max(created[1] - place.section.reorg_depth_blocks, 0)  # a reorg may have moved it since


def _holder(address: Address) -> str:
    return "" if address == ZERO_ADDRESS else checksum(address)
