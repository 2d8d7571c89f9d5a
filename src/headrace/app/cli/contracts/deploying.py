"""`headrace contracts deploy`: what would be done, said first; then done, once."""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.signers.keystore.folder import Keystore
from headrace.adapters.stores.deployments import DeploymentFile
from headrace.app.cli.contracts.creation import creation
from headrace.app.cli.contracts.deployment import PROXY, Deployment, require_build, require_proxy
from headrace.app.cli.contracts.owner_calls import Found, OwnerCall, Wanted, call_lines, calls_to, owner_call
from headrace.app.cli.contracts.sending import (
    Offer,
    Order,
    Sender,
    Terms,
    offer,
    require_nothing_under_way,
    sole_sender,
)
from headrace.app.cli.contracts.state import read_state, those_that_are
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.errors import DeploymentError
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, checksum
from headrace.model.executor_call import SIGNATURES, ExecutorCall, calldata
from headrace.model.token import decimal_text

if TYPE_CHECKING:
    from rich.console import Console

_NATIVE_DECIMALS = 18
_DELEGATION = bytes.fromhex("ef0100")  # EIP-7702: a key's account that borrows code; the key still signs


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; `sender` is the configured wallet, which pays; `sets_up`: it sends the owner's calls too."""

    config: Config
    chain: str
    sender: Address
    owner: Address
    salt_number: int
    wanted: Wanted
    sets_up: bool


class Survey(msgspec.Struct, frozen=True):
    """What would be done; `offer` is None where the Executor is there already."""

    contract: Address
    offer: Offer | None
    warnings: tuple[str, ...]
    calls: tuple[OwnerCall, ...]

    def sends(self, *, sets_up: bool) -> bool:
        """Whether anything has to be signed."""
        return self.offer is not None or (sets_up and bool(self.calls))


class Deployed(msgspec.Struct, frozen=True):
    """An Executor that stands, and what is left for its owner to send.

    Attributes:
        chain: by its name in the configuration.
        contract: its address.
        owner: of the Executor.
        wrapped_native: which coin it takes for native coin.
        salt: the number that its address was made with.
        tx_hash: of the deployment by this or an earlier run; empty where somebody else deployed it.
        block: of that, else None.
        calls: in the order in which the owner should send them.
        warnings: what should be known.
    """

    chain: str
    contract: str
    owner: str
    wrapped_native: str
    salt: int
    tx_hash: str
    block: int | None
    calls: tuple[OwnerCall, ...]
    warnings: tuple[str, ...]


def survey(*, report: Report, request: Request) -> Survey:
    """Look at the chain; nothing is signed.

    Raises:
        DeploymentError: it cannot be deployed there; the message says what to do.
        ChainError: the node failed, or serves another chain.
    """
    report(f"connecting to {request.chain}")
    return asyncio.run(_survey(request))


def deploy(*, report: Report, request: Request, passphrase: bytes | None) -> Deployed:
    """Deploy what is not there yet, set it up if asked to, and say what is left for the owner.

    Raises:
        DeploymentError: it failed, or what is there now is not what was meant.
        NotIncludedError: what was sent is in no block yet; the same command goes on.
        JournalLockedError: an agent runs with the same journal.
        KeystoreError: the wallet does not open.
        ChainError: the node failed; the same command goes on.
    """
    with nullcontext() if passphrase is None else sole_sender(request.config):
        return asyncio.run(_deploy(request, passphrase, report))


def deployment_of(request: Request) -> Deployment:
    """Which Executor is asked for.

    Raises:
        DeploymentError: the contracts are not built here.
    """
    native = request.config.chains[request.chain].wrapped_native_address
    return Deployment(require_build(), request.owner, native, request.salt_number)


def survey_lines(request: Request, survey: Survey) -> Iterator[str]:
    """For people, before they are asked."""
    section = request.config.chains[request.chain]
    yield f"Executor on {request.chain} (chain id {section.chain_id}): {checksum(survey.contract)}"
    yield f"  owner          {checksum(request.owner)}"
    yield f"  wrapped native {checksum(section.wrapped_native_address)} ({section.wrapped_native})"
    yield f"  salt           {request.salt_number}"
    if survey.offer is None:
        yield "it is there already, with the code that was built here"
    else:
        cost = decimal_text(survey.offer.cost_wei_max, _NATIVE_DECIMALS)
        yield f"  paid by        {checksum(request.sender)}: {survey.offer.gas_limit} gas, at most {cost} native coin"
    for warning in survey.warnings:
        yield f"warning: {warning}"


def render(result: object, console: "Console") -> None:
    """Where it is, and what the owner has to send."""
    assert isinstance(result, Deployed)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(result: Deployed) -> Iterator[str]:
    how = f"deployed in block {result.block} by {result.tx_hash}" if result.tx_hash else "there already"
    yield f"{result.contract} on {result.chain}: {how}; its code is the one built here"
    yield f'put it into the configuration: execution.flash_loan.contract_address: "{result.contract}"'
    left = [call for call in result.calls if not call.tx_hash]
    if len(left) < len(result.calls):
        yield "set up:"
        yield from call_lines(call for call in result.calls if call.tx_hash)
    if left:
        yield f"for its owner {result.owner} to send, in this order:"
        yield from call_lines(left)
    else:
        yield "nothing is left for its owner to set up"


async def _survey(request: Request) -> Survey:
    async with _chain_of(request) as chain:
        deployment = deployment_of(request)
        code = await chain.code(deployment.address)
        made = None
        if code:
            deployment.require_same(code)
        else:
            require_proxy(await chain.code(PROXY), request.chain)
            order = _order(deployment)
            made = await offer(chain, Terms.of(request.config, request.chain), request.sender, order)
        found = await _found(chain, request, deployment.address) if code else Found()
        calls = _calls(request, deployment, found)
        shown = tuple(owner_call(deployment.address, call, why) for call, why in calls)
        return Survey(deployment.address, made, await _warnings(chain, request, found), shown)


async def _deploy(request: Request, passphrase: bytes | None, report: Report) -> Deployed:
    deployment, file = deployment_of(request), _file(request)
    async with _chain_of(request) as chain:
        sender = None if passphrase is None else await _sender(chain, request, passphrase, report)
        if sender is not None and not await chain.code(deployment.address):
            await _create(chain, sender, deployment)
        deployment.require_same(await chain.code(deployment.address))
        tx_hash, block = await creation(chain, file, deployment.address) or ("", None)
        done = await _set_up(chain, sender, request, deployment) if sender is not None and request.sets_up else ()
        found = await _found(chain, request, deployment.address)
        left = _calls(request, deployment, found)
        if done and left:
            raise DeploymentError(f"{left[0][1]}: this was sent and is not so: run the same command again")
        return Deployed(
            chain=request.chain,
            contract=checksum(deployment.address),
            owner=checksum(request.owner),
            wrapped_native=checksum(deployment.wrapped_native),
            salt=request.salt_number,
            tx_hash=tx_hash,
            block=block,
            calls=(*done, *(owner_call(deployment.address, call, why) for call, why in left)),
            warnings=await _warnings(chain, request, found),
        )


async def _create(chain: EvmChain, sender: Sender, deployment: Deployment) -> None:
    """Deploy it, unless somebody else deploys the same in the meantime."""
    try:
        await sender.send_once(_order(deployment))
    except DeploymentError:
        if not await chain.code(deployment.address):
            raise


async def _set_up(chain: EvmChain, sender: Sender, request: Request, deployment: Deployment) -> tuple[OwnerCall, ...]:
    done = []
    found = await _found(chain, request, deployment.address)
    for call, why in _calls(request, deployment, found):
        order = Order(deployment.address, deployment.address, calldata(call), SIGNATURES[type(call)])
        receipt = await sender.send_once(order)
        done.append(owner_call(deployment.address, call, why, receipt.tx_hash))
    return tuple(done)


async def _sender(chain: EvmChain, request: Request, passphrase: bytes, report: Report) -> Sender:
    config = request.config
    assert config.wallet is not None, "the command line asks for one"
    await require_nothing_under_way(chain, config, request.sender)
    report("opening the wallet")
    signer = Keystore(config.wallet.keystore).open(request.sender, passphrase)
    return Sender(chain, signer, Terms.of(config, request.chain), _file(request), report)


async def _found(chain: EvmChain, request: Request, executor: Address) -> Found:
    head, wanted = await chain.head(), request.wanted
    state = await read_state(chain, executor, head.hash)
    operators = await those_that_are(chain, executor, "isOperator(address)", (wanted.operator,), head.hash)
    listed = await those_that_are(chain, executor, "isListed(address)", wanted.tokens.values(), head.hash)
    return Found.of(state, is_operator=bool(operators), listed=listed)


def _calls(request: Request, deployment: Deployment, found: Found) -> tuple[tuple[ExecutorCall, str], ...]:
    return tuple(calls_to(request.wanted, found, deployment.wrapped_native))


async def _warnings(chain: EvmChain, request: Request, found: Found) -> tuple[str, ...]:
    told = []
    code = await chain.code(request.owner)
    if request.owner == request.sender:
        told.append("the owner is the wallet that trades: whoever steals its key takes all that the Executor holds")
    elif not code or code.startswith(_DELEGATION):
        told.append("the owner is a plain key, with no code on this chain: a Safe is safer, and it cannot be changed")
    if found.guardian == ZERO_ADDRESS and request.wanted.guardian is None:
        told.append("there is no guardian: until the owner sets one, nobody but the owner can pause (--guardian)")
    if found.treasury == ZERO_ADDRESS and request.wanted.treasury is None:
        told.append("there is no treasury: until the owner sets one, profits stay where they are (--treasury)")
    return tuple(told)


def _order(deployment: Deployment) -> Order:
    return Order(deployment.address, PROXY, deployment.calldata, "the deployment")


def _chain_of(request: Request) -> EvmChain:
    section = request.config.chains[request.chain]
    return EvmChain(EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id)), SystemClock())


def _file(request: Request) -> DeploymentFile:
    chain_id = ChainId(request.config.chains[request.chain].chain_id)
    return DeploymentFile(request.config.deployments_path(request.chain), chain_id)
