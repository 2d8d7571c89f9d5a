"""Four events change what a pool quotes: Initialize, Swap, Mint, Burn.

Collect, CollectProtocol and Flash move tokens that no quote depends on, SetFeeProtocol divides a fee that was charged
already, IncreaseObservationCardinalityNext concerns the oracle and PancakeSwap's SetLmPoolEvent the rewards of
providers alone: they are harmless. There are no others.

A log must fit the state that it follows: liquidity and tick of a Swap are checked against the ticks, so that a lost
Mint or Burn shows at the next swap across it instead of in a wrong quote.

PancakeSwap's pools write two more words into their Swap, the protocol's shares of this swap's fee. It is another topic,
otherwise the same event; the shares were part of the fee and change no quote.

Source: Uniswap v3 core 1.0.1, IUniswapV3PoolEvents.sol; PancakeSwap v3 core 1.0.2, IPancakeV3PoolEvents.sol.
"""

from headrace.adapters.protocols.tick_pools import Position, require_point, require_range, with_position
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.adapters.protocols.words import signed, topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_table import LIQUIDITY_MAX, PricePoint
from headrace.model.address import Hash32, PoolId
from headrace.model.event import Log

INITIALIZE = topic("Initialize(uint160,int24)")
SWAP = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
SWAP_OF_PANCAKE = topic("Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)")
MINT = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN = topic("Burn(address,int24,int24,uint128,uint256,uint256)")
TOPICS = frozenset({INITIALIZE, SWAP, SWAP_OF_PANCAKE, MINT, BURN})
HARMLESS = topics_of(
    "Collect(address,address,int24,int24,uint128,uint128)",
    "CollectProtocol(address,address,uint128,uint128)",
    "Flash(address,address,uint256,uint256,uint256,uint256)",
    "IncreaseObservationCardinalityNext(uint16,uint16)",
    "SetFeeProtocol(uint8,uint8,uint8,uint8)",
    "SetFeeProtocol(uint32,uint32,uint32,uint32)",
    "SetLmPoolEvent(address)",
)

_WORD_BYTES = 32
_INT24_MAX = 2**23 - 1
_FORMS: dict[Hash32, tuple[int, int]] = {  # topics, words
    INITIALIZE: (1, 2),
    SWAP: (3, 5),
    SWAP_OF_PANCAKE: (3, 7),
    MINT: (4, 4),
    BURN: (4, 3),
}


def pool_of(log: Log) -> PoolId:
    """The pool is the contract that speaks.

    Raises:
        MalformedLogError: not one of these events, or not as many topics and words as it has.
    """
    _require_form(log)
    return PoolId(log.address)


def apply(state: UniswapV3State, log: Log) -> UniswapV3State:
    """The state after one log of this pool.

    Raises:
        MalformedLogError: the log is of another pool, has not its event's form, or cannot follow this state.
    """
    _require_form(log)
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    event, data = log.topics[0], _data(log)
    if event in {SWAP, SWAP_OF_PANCAKE}:
        _require_shares(log, data)
        return _moved(state, PricePoint(_word(data, 2), _tick(log, _word(data, 4)), _word(data, 3)))
    if event == INITIALIZE:
        return _initialised(state, PricePoint(_word(data, 0), _tick(log, _word(data, 1)), 0))
    lower, upper = (_tick(log, _topic_word(log, topic)) for topic in log.topics[2:])
    change = _word(data, 1) if event == MINT else -_word(data, 0)
    return _repositioned(state, Position(lower, upper, change))


def _require_form(log: Log) -> None:
    form = _FORMS.get(log.topics[0]) if log.topics else None
    if form is None:
        raise MalformedLogError(log.address, "topics", "the first topic is no event of a Uniswap v3 pool")
    topics, words = form
    is_sized = len(log.topics) == topics and len(log.data) == 2 + 2 * words * _WORD_BYTES
    if not is_sized or not log.data.startswith("0x"):
        raise MalformedLogError(log.address, "data", f"expected {topics} topics and {words} words of data")


def _require_shares(log: Log, data: bytes) -> None:
    """The two words more, where there are, are unsigned 128-bit numbers."""
    for index in range(_FORMS[SWAP][1], _FORMS[log.topics[0]][1]):
        if _word(data, index) > LIQUIDITY_MAX:
            raise MalformedLogError(log.address, "protocol_fees", "a share is not an unsigned 128-bit number")


def _moved(state: UniswapV3State, point: PricePoint) -> UniswapV3State:
    if state.point == UNSET:
        raise MalformedLogError(state.pool.id, "topics", "a swap before the pool has a price")
    require_point(state.pool, point, state.table)
    return UniswapV3State(state.pool, point, state.table)


def _initialised(state: UniswapV3State, point: PricePoint) -> UniswapV3State:
    if state.point != UNSET:
        raise MalformedLogError(state.pool.id, "topics", "the pool has a price already")
    require_point(state.pool, point, state.table)
    return UniswapV3State(state.pool, point, state.table)


def _repositioned(state: UniswapV3State, position: Position) -> UniswapV3State:
    require_range(state.pool, state.table, position)
    if abs(position.liquidity_delta) > LIQUIDITY_MAX or state.point == UNSET:
        raise MalformedLogError(state.pool.id, "amount", "out of range, or before the pool has a price")
    if position.liquidity_delta == 0:  # a burn of nothing only books fees
        return state
    return UniswapV3State(state.pool, *with_position(state.pool, state.table, state.point, position, "amount"))


def _data(log: Log) -> bytes:
    try:
        data = bytes.fromhex(log.data[2:])
    except ValueError as error:
        raise MalformedLogError(log.address, "data", "it is not hex") from error
    if len(data) != _FORMS[log.topics[0]][1] * _WORD_BYTES:  # white space is no hex either
        raise MalformedLogError(log.address, "data", "it is not hex")
    return data


def _word(data: bytes, index: int) -> int:
    return int.from_bytes(data[index * _WORD_BYTES : (index + 1) * _WORD_BYTES], "big")


def _topic_word(log: Log, topic: Hash32) -> int:
    try:
        (word,) = words_of_hex(topic, 1)
    except ValueError as error:
        raise MalformedLogError(log.address, "topics", str(error)) from error
    return word


def _tick(log: Log, word: int) -> int:
    value = signed(word)
    if not -_INT24_MAX - 1 <= value <= _INT24_MAX:
        raise MalformedLogError(log.address, "tick", f"{value} is not a signed 24-bit number")
    return value
