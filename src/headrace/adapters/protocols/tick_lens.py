"""A lens over a pool's ticks: creation code that a node runs in an `eth_call` without a contract, and what it answers.

Nothing is deployed, and nothing foreign is trusted more than by single calls: the code is ours, it only asks the pool,
and it reverts where the pool does not answer as it should. contracts/src/lenses/TickLens.sol tells its form; a test
compares what that compiles to.
"""

from typing import NamedTuple

from headrace.adapters.protocols.words import address_word, signed_word
from headrace.kernels.tick_table import TickLiquidity
from headrace.model.address import Address
from headrace.ports.chain import CREATION, Call

_VERSION = 1
_HEADER_BYTES = 3
_TICK_BYTES = 3
_LIQUIDITY_BYTES = 16
_ENTRY_BYTES = _TICK_BYTES + 2 * _LIQUIDITY_BYTES


class TickPage(NamedTuple):
    """What one call saw: ticks in ascending order, and the first word of the bitmap that it did not come to."""

    ticks: dict[int, TickLiquidity]
    word_next: int


def ticks_call(pool: Address, tick_spacing: int, words: range) -> Call:
    """Ask for all initialised ticks in some words of a pool's bitmap."""
    numbers = (tick_spacing, words.start, words.stop - 1)
    arguments = address_word(pool) + b"".join(signed_word(number) for number in numbers)
    return Call(CREATION, TICK_LENS + arguments)


def read_page(answer: bytes | None) -> TickPage | None:
    """The page, or None where the node or the pool did not answer as the lens does."""
    if answer is None or len(answer) < _HEADER_BYTES or answer[0] != _VERSION:
        return None
    if (len(answer) - _HEADER_BYTES) % _ENTRY_BYTES:
        return None
    starts = range(_HEADER_BYTES, len(answer), _ENTRY_BYTES)
    ticks = dict(_entry(answer[start : start + _ENTRY_BYTES]) for start in starts)
    return TickPage(ticks, int.from_bytes(answer[1:_HEADER_BYTES], "big", signed=True))


def _entry(data: bytes) -> tuple[int, TickLiquidity]:
    gross, net = data[_TICK_BYTES:-_LIQUIDITY_BYTES], data[-_LIQUIDITY_BYTES:]
    liquidity = TickLiquidity(int.from_bytes(gross, "big"), int.from_bytes(net, "big", signed=True))
    return int.from_bytes(data[:_TICK_BYTES], "big", signed=True), liquidity


TICK_LENS = bytes.fromhex(
    "608060405234801561000f575f5ffd5b5060405161039238038061039283398101604081905261002e9161027f565b6040515f61003d6003"
    "836102da565b9050835b83811315801561005e575061005e61005984846102f3565b610112565b156100f9575f610092887f5339c2962de8"
    "456e0f130cfdd0475adbb727f7c994320d4ffb525242fb92901d84600187610173565b90505f876100a284610100610306565b6100ac9190"
    "610306565b90505b81156100e657816001166001036100ce576100cb8982866101d9565b93505b60019190911c906100df8882610335565b"
    "90506100af565b5050806100f29061035c565b9050610041565b600183538060081c600184015380600284015382820383f35b5f8060c861"
    "0123602361010061037a565b61012d90856102da565b610137919061037a565b9050610146602361010061037a565b610152906160006102"
    "f3565b831115801561016c575061016981623d09006102da565b5a115b9392505050565b5f5f85835284600484015260208402836024858a"
    "6207a120fa835192503d6020860214169050806101cf57604051638a29809160e01b81526001600160e01b03198716600482015260248101"
    "8690526044015b60405180910390fd5b5095945050505050565b5f80610209857ff30dba93ad0111bd09b004f3330144e7d668b15ee95df5"
    "28a70eaeb859c01faf86600887610173565b6020840151909150608082901c15158061022657508081600f0b14155b156102545760405163"
    "8a29809160e01b815263f30dba9360e01b6004820152602481018690526044016101c6565b8160681b8560e81b1784528060801b60138501"
    "5260238461027591906102da565b9695505050505050565b5f5f5f5f60808587031215610292575f5ffd5b84516001600160a01b03811681"
    "146102a8575f5ffd5b60208601516040870151606090970151919890975090945092505050565b634e487b7160e01b5f5260116004526024"
    "5ffd5b808201808211156102ed576102ed6102c6565b92915050565b818103818111156102ed576102ed6102c6565b8082025f8212600160"
    "ff1b84141615610321576103216102c6565b81810583148215176102ed576102ed6102c6565b8082018281125f8312801582168215821617"
    "15610354576103546102c6565b505092915050565b5f6001600160ff1b018201610373576103736102c6565b5060010190565b8082028115"
    "8282048414176102ed576102ed6102c656fe"
)
