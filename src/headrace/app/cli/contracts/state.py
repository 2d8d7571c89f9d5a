"""What an Executor says of itself at one block."""

from collections.abc import Iterable, Sequence

import msgspec

from headrace.app.cli.doctor.calls import address_call
from headrace.errors import DeploymentError
from headrace.model.address import Address, Hash32, checksum
from headrace.ports.chain import Call, Chain

_WORD = 32
_ADDRESS = 20


class ExecutorState(msgspec.Struct, frozen=True):
    """Roles, pause and cap; the zero address stands for nobody."""

    owner: Address
    wrapped_native: Address
    guardian: Address
    treasury: Address
    is_paused: bool
    tip_share_max_bps: int


async def read_state(chain: Chain, executor: Address, block: Hash32) -> ExecutorState:
    """Ask it.

    Raises:
        DeploymentError: what is there does not answer like an Executor.
        ChainError: the node failed.
    """
    names = ("owner()", "wrappedNative()", "guardian()", "treasury()", "isPaused()", "tipShareMaxBps()")
    answers = await chain.call_many([Call(executor, address_call(name)) for name in names], block)
    words = [answer for answer in answers if answer is not None and len(answer) == _WORD]
    if len(words) < len(names):
        why = "does not answer like an Executor of these sources: is the address right, and on this chain?"
        raise DeploymentError(f"{checksum(executor)} {why}")
    owner, native, guardian, treasury = (Address("0x" + word[-_ADDRESS:].hex()) for word in words[:4])
    return ExecutorState(owner, native, guardian, treasury, any(words[4]), int.from_bytes(words[5]))


async def those_that_are(
    chain: Chain, executor: Address, question: str, asked: Iterable[Address], block: Hash32
) -> tuple[Address, ...]:
    """Of some addresses those for which the Executor says yes to `isOperator(address)` or `isListed(address)`.

    Raises:
        ChainError: the node failed.
    """
    addresses: Sequence[Address] = tuple(asked)
    answers = await chain.call_many([Call(executor, address_call(question, one)) for one in addresses], block)
    return tuple(one for one, answer in zip(addresses, answers, strict=True) if any(answer or b""))
