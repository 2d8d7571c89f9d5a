"""Many reads of one state in few calls, through a Multicall3 contract where the chain has one.

The contract runs call after call and gives each one's answer or failure. Its word is taken for answers only: a call
may fail there because a token before it burnt the gas of all, so what failed is asked again by itself, and a bundle
that fails as a whole is asked call by call.

Source: mds1/multicall, Multicall3.sol, `aggregate3`.
"""

from collections.abc import Sequence

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from headrace.adapters.protocols.words import call_data
from headrace.errors import ConfigError, RpcError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call, Chain

_AGGREGATE = call_data("aggregate3((address,bool,bytes)[])")
_CALLS_MAX = 250
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
        asked = [Call(contract, _AGGREGATE + encode(["(address,bool,bytes)[]"], [_wire(one)])) for one in bundles]
        try:
            results = await self._chain.call_many(asked, block)
        except RpcError:  # too much gas, too many bytes: smaller questions may do
            return [None] * len(calls)
        answers: Answers = []
        for bundle, result in zip(bundles, results, strict=True):
            answers += [None] * len(bundle) if result is None else _unbundled(contract, result, len(bundle))
        return answers


def _wire(calls: Sequence[Call]) -> list[tuple[str, bool, bytes]]:
    return [(call.to, True, call.data) for call in calls]


def _unbundled(contract: Address, result: bytes, count: int) -> Answers:
    try:
        ((*pairs,),) = decode(["(bool,bytes)[]"], result)
    except (DecodingError, OverflowError) as error:
        raise ConfigError(f"{contract} does not answer as Multicall3 does: correct `multicall`") from error
    if len(pairs) != count:
        raise ConfigError(f"{contract} gives {len(pairs)} answers to {count} calls: correct `multicall`")
    return [answer if is_success else None for is_success, answer in pairs]
