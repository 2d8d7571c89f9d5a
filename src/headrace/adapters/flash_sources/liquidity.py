"""What contracts hold of tokens: the ceiling of what they can lend."""

from collections.abc import Sequence

from headrace.errors import MalformedAnswerError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call, Chain

_BALANCE_OF = bytes.fromhex("70a08231")
_WORD = 32


def word_of(address: Address) -> bytes:
    """An address as an argument of a call."""
    return bytes.fromhex(address[2:]).rjust(_WORD, b"\0")


async def read_balances(
    chain: Chain, holdings: Sequence[tuple[Address, Address]], block: Hash32
) -> dict[tuple[Address, Address], int]:
    """Balances of (token, holder) pairs after `block`; a token that answers nothing counts as 0.

    Raises:
        ChainError: the node failed.
    """
    calls = [Call(to=token, data=_BALANCE_OF + word_of(holder)) for token, holder in holdings]
    answers = await chain.call_many(calls, block)
    return {
        key: int.from_bytes(answer, "big") if answer is not None and len(answer) == _WORD else 0
        for key, answer in zip(holdings, answers, strict=True)
    }


async def read_words(chain: Chain, calls: Sequence[Call], block: Hash32) -> list[list[int]]:
    """Answers of several reads, each as 32-byte words.

    Raises:
        MalformedAnswerError: a contract reverts or does not answer in words.
        ChainError: the node failed.
    """
    words = []
    for call, answer in zip(calls, await chain.call_many(calls, block), strict=True):
        if not answer or len(answer) % _WORD:
            raise MalformedAnswerError("eth_call", f"{call.to} did not answer 0x{call.data[:4].hex()} in words")
        words.append([int.from_bytes(answer[at : at + _WORD], "big") for at in range(0, len(answer), _WORD)])
    return words
