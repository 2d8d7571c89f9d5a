"""Four events change what a pool quotes: Initialize, Swap, ModifyLiquidity, ProtocolFeeUpdated.

The PoolManager emits them for all pools, each with the pool's id in its second topic. Donate adds to the fees that
positions have earned and changes neither price nor liquidity: it is harmless. Tokens moved by `take`, `settle` or
ERC-6909 claims are of no pool, nor are owner and fee controller. A dynamic fee would change without a log; such pools
are refused (`key`).

A log must fit the state that it follows: liquidity and tick of a Swap are checked against the ticks and its fee against
the fees known, so that a lost log shows at the next swap instead of in a wrong quote.

Source: Uniswap v4 core 1.0.2, IPoolManager.sol, IProtocolFees.sol.
"""

from headrace.adapters.protocols.tick_pools import Position, require_point, require_range, with_position
from headrace.adapters.protocols.uniswap_v4.key import PoolKey, key_of_words
from headrace.adapters.protocols.uniswap_v4.state import UniswapV4State, protocol_fee_flaw, unpacked_fee
from headrace.adapters.protocols.words import signed, topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_table import PricePoint
from headrace.model.address import Hash32, PoolId
from headrace.model.event import Log

INITIALIZE = topic("Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)")
SWAP = topic("Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)")
MODIFY_LIQUIDITY = topic("ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)")
PROTOCOL_FEE_UPDATED = topic("ProtocolFeeUpdated(bytes32,uint24)")
_FORMS: dict[Hash32, tuple[int, int]] = {  # topics, words of data
    INITIALIZE: (4, 5),
    SWAP: (3, 6),
    MODIFY_LIQUIDITY: (3, 4),
    PROTOCOL_FEE_UPDATED: (2, 1),
}
TOPICS = frozenset(_FORMS)
HARMLESS = topics_of(
    "Donate(bytes32,address,uint256,uint256)",
    "ProtocolFeeControllerUpdated(address)",
    "OwnershipTransferred(address,address)",
    "OperatorSet(address,address,bool)",
    "Approval(address,address,uint256,uint256)",
    "Transfer(address,address,address,uint256,uint256)",
)
_LIQUIDITY_DELTA_MAX = 2**127 - 1


def pool_of(log: Log) -> PoolId:
    """The pool whose id the manager's log carries.

    Raises:
        MalformedLogError: not one of the four events, or not as many topics and words as it has.
    """
    _words(log)
    return PoolId(log.topics[1])


def key_of(log: Log) -> PoolKey:
    """The key that an Initialize log tells, proven by the id beside it.

    Raises:
        MalformedLogError: it is no such log, or its parts do not hash to its id.
    """
    words = _words(log)
    if log.topics[0] != INITIALIZE:
        raise MalformedLogError(log.address, "topics", "only Initialize tells a key")
    try:
        currencies = [int(one, 16) for one in log.topics[2:]]
        key = key_of_words((*currencies, *words[:3]))
    except ValueError as error:
        raise MalformedLogError(log.topics[1], "key", str(error)) from error
    if key.id != PoolId(log.topics[1]):
        raise MalformedLogError(log.topics[1], "key", f"it is that of {key.id}")
    return key


def apply(state: UniswapV4State, log: Log) -> UniswapV4State:
    """The state after one log of this pool.

    Raises:
        MalformedLogError: the log is of another pool, has not its event's form, or cannot follow this state.
    """
    words = _words(log)
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    if PoolId(log.topics[1]) != state.pool.id:
        raise MalformedLogError(state.pool.id, "id", f"the log is of {log.topics[1]}")
    if log.topics[0] == INITIALIZE:
        return _initialised(state, log, words)
    if state.point == UNSET:
        raise MalformedLogError(state.pool.id, "topics", "a log before the pool has a price")
    if log.topics[0] == SWAP:
        return _moved(state, words)
    if log.topics[0] == MODIFY_LIQUIDITY:
        return _repositioned(state, words)
    return _charged(state, words[0])


def _initialised(state: UniswapV4State, log: Log, words: tuple[int, ...]) -> UniswapV4State:
    if state.point != UNSET:
        raise MalformedLogError(state.pool.id, "topics", "the pool has a price already")
    key_of(log)  # its parts hash to the id, so they are this pool's
    return _at(state, PricePoint(words[3], signed(words[4]), 0))


def _moved(state: UniswapV4State, words: tuple[int, ...]) -> UniswapV4State:
    amount0, amount1, price, liquidity, tick, fee = words
    fees = [state.fee_pips(zero_for_one=True), state.fee_pips(zero_for_one=False)]
    if signed(amount0) < 0:  # what the swapper owes is negative
        fees = fees[:1]
    elif signed(amount1) < 0:
        fees = fees[1:]
    if fee not in fees:  # a swap that only moved the price through a gap took nothing and may be either
        raise MalformedLogError(state.pool.id, "fee", f"{fee} pips charged, where {fees} is known")
    return _at(state, PricePoint(price, signed(tick), liquidity))


def _repositioned(state: UniswapV4State, words: tuple[int, ...]) -> UniswapV4State:
    position = Position(*(signed(word) for word in words[:3]))
    require_range(state.pool, state.table, position)
    delta = position.liquidity_delta
    if abs(delta) > _LIQUIDITY_DELTA_MAX:
        raise MalformedLogError(state.pool.id, "liquidity_delta", f"{delta} is not a signed 128-bit number")
    if delta == 0:  # only collects fees
        return state
    point, table = with_position(state.pool, state.table, state.point, position, "liquidity_delta")
    return UniswapV4State(state.pool, state.hooks, state.protocol_fee, point, table)


def _charged(state: UniswapV4State, packed: int) -> UniswapV4State:
    fee = unpacked_fee(packed)
    flaw = protocol_fee_flaw(fee)
    if flaw is not None:
        raise MalformedLogError(state.pool.id, flaw.field, flaw.why)
    return UniswapV4State(state.pool, state.hooks, fee, state.point, state.table)


def _at(state: UniswapV4State, point: PricePoint) -> UniswapV4State:
    require_point(state.pool, point, state.table)
    return UniswapV4State(state.pool, state.hooks, state.protocol_fee, point, state.table)


def _words(log: Log) -> tuple[int, ...]:
    form = _FORMS.get(log.topics[0]) if log.topics else None
    if form is None:
        raise MalformedLogError(log.address, "topics", "the first topic is no event of Uniswap v4 that moves a pool")
    topics, words = form
    if len(log.topics) != topics:
        raise MalformedLogError(log.address, "topics", f"{len(log.topics)} topics, not {topics}")
    try:
        return words_of_hex(log.data, words)
    except ValueError as error:
        raise MalformedLogError(log.address, "data", str(error)) from error
