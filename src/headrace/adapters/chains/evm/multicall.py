"""Many reads of one state in few calls, through a Multicall3 contract where the chain has one.

The contract runs call after call and gives each one's answer or failure. Its word is taken for answers only: a call
may fail there because a token before it burnt the gas of all, so what failed is asked again by itself, and a bundle
that fails as a whole is asked call by call.

Source: mds1/multicall, Multicall3.sol, `aggregate3`.
"""

from collections.abc import Sequence

from headrace.adapters.protocols.words import call_data
from headrace.errors import ConfigError, RpcError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call, Chain

_AGGREGATE = call_data("aggregate3((address,bool,bytes)[])")
_CALLS_MAX = 250
_WORD = 32
Answers = list[bytes | None]


class Multicall:
    """Reads of one chain; without a contract, in the chain's own batches."""

    def __init__(self, chain: Chain, contract: Address | None) -> None:
        """Ask `chain`, through `contract` where there is one."""
        self._chain = chain
        self._contract = contract

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        """As `headrace.ports.chain.Chain.call_many`.

        Raises:
            ConfigError: the contract is no Multicall3.
            ChainError: the node failed.
        """
        if self._contract is None:
            return await self._chain.call_many(calls, block)
        answers = await self._bundled(self._contract, calls, block)
        unsettled = [i for i, answer in enumerate(answers) if answer is None]
        again = await self._chain.call_many([calls[i] for i in unsettled], block) if unsettled else ()
        for i, answer in zip(unsettled, again, strict=True):
            answers[i] = answer
        return tuple(answers)

    async def _bundled(self, contract: Address, calls: Sequence[Call], block: Hash32) -> Answers:
        bundles = [calls[i : i + _CALLS_MAX] for i in range(0, len(calls), _CALLS_MAX)]
        asked = [Call(contract, _AGGREGATE + _bundle(one)) for one in bundles]
        try:
            results = await self._chain.call_many(asked, block)
        except RpcError:  # too much gas, too many bytes: smaller questions may do
            return [None] * len(calls)
        answers: Answers = []
        for bundle, result in zip(bundles, results, strict=True):
            answers += [None] * len(bundle) if result is None else _unbundled(contract, result, len(bundle))
        return answers


def _bundle(calls: Sequence[Call]) -> bytes:
    """`(address target, bool allowFailure, bytes data)[]` as the ABI writes it: offsets, then the tuples."""
    tuples = [_tuple(call) for call in calls]
    offset, offsets = _WORD * len(calls), bytearray()
    for one in tuples:
        offsets += _word(offset)
        offset += len(one)
    return _word(_WORD) + _word(len(calls)) + bytes(offsets) + b"".join(tuples)


def _tuple(call: Call) -> bytes:
    padding = bytes(-len(call.data) % _WORD)
    return _word(int(call.to, 16)) + _word(1) + _word(3 * _WORD) + _word(len(call.data)) + call.data + padding


def _unbundled(contract: Address, result: bytes, count: int) -> Answers:
    """The answers in `(bool success, bytes data)[]`, None for each that failed."""
    try:
        start = _number(result, 0) + _WORD
        found = _number(result, start - _WORD)
        if found != count:
            raise ConfigError(f"{contract} gives {found} answers to {count} calls: correct `multicall`")
        return [_answer(result, start + _number(result, start + _WORD * i)) for i in range(count)]
    except ValueError as error:
        raise ConfigError(f"{contract} does not answer as Multicall3 does: correct `multicall`") from error


def _answer(result: bytes, at: int) -> bytes | None:
    start = at + _number(result, at + _WORD)
    size = _number(result, start)
    data = result[start + _WORD : start + _WORD + size]
    if len(data) != size:
        raise ValueError(f"{size} bytes end after {len(data)}")
    return data if _number(result, at) else None


def _number(data: bytes, at: int) -> int:
    """A word that counts or leads somewhere.

    Raises:
        ValueError: the data ends before it does.
    """
    word = data[at : at + _WORD]
    if len(word) != _WORD:
        raise ValueError(f"no word at {at}")
    return int.from_bytes(word, "big")


def _word(value: int) -> bytes:
    return value.to_bytes(_WORD, "big")
