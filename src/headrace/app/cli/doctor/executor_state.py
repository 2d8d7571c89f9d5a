"""What the Executor says of itself: pause, list of tokens, wrapped native coin, guardian and treasury."""

from collections.abc import AsyncIterator

from headrace.app.cli.doctor.calls import address_call
from headrace.app.cli.doctor.finding import Finding, fail, ok, warn
from headrace.app.config.tree import Config
from headrace.model.address import ZERO_ADDRESS, Address, checksum
from headrace.model.block import BlockHeader
from headrace.ports.chain import Call, Chain

_WORD = 32
_ADDRESS = 20


async def executor_findings(chain: Chain, config: Config, head: BlockHeader) -> AsyncIterator[Finding]:
    """Whether plans can be executed now, and who could stop them.

    Raises:
        ChainError: the node stopped answering.
    """
    executor = config.execution.flash_loan.contract_address
    starts = config.chain.start_tokens
    questions = [
        address_call("isPaused()"),
        address_call("wrappedNative()"),
        address_call("guardian()"),
        address_call("treasury()"),
        *(address_call("isListed(address)", config.chain.tokens[symbol]) for symbol in starts),
    ]
    answers = await chain.call_many([Call(executor, data) for data in questions], head.hash)
    paused, native, guardian, treasury, *listed = answers
    if any(answer is None or len(answer) != _WORD for answer in answers):
        yield fail("executor state", "it does not answer like an Executor", "point contract_address at one")
        return
    if any(paused or b""):
        yield fail("executor state", "it is paused", "find out why; then let its owner call unpause()")
    else:
        yield ok("executor state", "it is not paused")
    yield _wrapped(_address(native), config.chain.wrapped_native_address)
    yield _lists(
        [s for s, answer in zip(starts, listed, strict=True) if not any(answer or b"")],
        native=_address(native),
        config=config,
    )
    yield _role("guardian", _address(guardian), "nobody but its owner can pause it", "setGuardian(address)")
    yield _role("treasury", _address(treasury), "operators cannot sweep profits", "setTreasury(address)")


def _wrapped(known: Address, configured: Address) -> Finding:
    if known == configured:
        return ok("wrapped native", f"{checksum(configured)}, as configured")
    seen = f"the Executor's is {checksum(known)}, configured is {checksum(configured)}"
    return fail("wrapped native", seen, "correct `wrapped_native`, or deploy an Executor for this chain's")


def _lists(unlisted: list[str], *, native: Address, config: Config) -> Finding:
    missing = [symbol for symbol in unlisted if config.chain.tokens[symbol] != native]
    if not missing:
        return ok("listed tokens", "profit may be counted in every start token")
    addresses = ",".join(checksum(config.chain.tokens[symbol]) for symbol in missing)
    cure = f"let the Executor's owner call setListed([{addresses}],true), or take them off `start_tokens`"
    return fail("listed tokens", f"{', '.join(missing)}: not on the Executor's list, so plans in them revert", cure)


def _role(name: str, holder: Address, effect: str, call: str) -> Finding:
    if holder != ZERO_ADDRESS:
        return ok(name, checksum(holder))
    return warn(name, f"none: {effect}", f"let the Executor's owner call {call}")


def _address(answer: bytes | None) -> Address:
    return Address("0x" + (answer or bytes(_WORD))[-_ADDRESS:].hex())
