"""Logs to state, as far as they tell it.

A pool whose terms follow its logs keeps its balances itself, so each log can be folded, and checked: `TokenExchange`
must pay what our arithmetic pays (a log is a recorded quote), the invariant of a deposit or an uneven withdrawal must
be ours. Whatever does not come out, and whatever a log does not tell (which coin `RemoveLiquidityOne` paid, where A
stands while it moves), makes the state doubtful: it is read again. So does any log of any other pool.

Harmless is what only announces a change, or concerns the owner, the oracle or the shares. Sources of the events: the
pool templates of curve-contract (3pool, lending, meta), curve-factory and stableswap-ng.
"""

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import BALANCE_END, CurveStableswapState, Ramp
from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.words import array_at, signed, topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION, StableSwap, invariant, prepared, swap
from headrace.kernels.stableswap_liquidity import common_units
from headrace.model.address import Hash32
from headrace.model.event import Log

_ANY_TIME = 1 << 63  # A does not move in a state that follows its logs
_COINS = range(2, 9)

EXCHANGE = topic("TokenExchange(address,int128,uint256,int128,uint256)")
EXCHANGE_UNDERLYING = topic("TokenExchangeUnderlying(address,int128,uint256,int128,uint256)")
REMOVE_ONE = {
    topic("RemoveLiquidityOne(address,uint256,uint256)"): 2,
    topic("RemoveLiquidityOne(address,uint256,uint256,uint256)"): 3,
    topic("RemoveLiquidityOne(address,int128,uint256,uint256,uint256)"): 4,
}
NEW_FEE = topic("NewFee(uint256,uint256)")
NEW_PARAMETERS = topic("NewParameters(uint256,uint256,uint256)")
RAMP = topic("RampA(uint256,uint256,uint256,uint256)")
STOP_RAMP = topic("StopRampA(uint256,uint256)")
_OTHER_FEES = {
    topic("NewFee(uint256,uint256,uint256)"): 3,
    topic("ApplyNewFee(uint256)"): 1,
    topic("ApplyNewFee(uint256,uint256)"): 2,
}
_ADMIN = {NEW_FEE: 2, NEW_PARAMETERS: 3, RAMP: 4, STOP_RAMP: 2} | _OTHER_FEES


def _by_coins(name: str, tail: str) -> dict[Hash32, int]:
    """The event's topics with the length of its two lists; 0 where they carry it themselves (NG)."""
    fixed = {topic(f"{name}(address,uint256[{count}],uint256[{count}]{tail})"): count for count in _COINS}
    return {topic(f"{name}(address,uint256[],uint256[]{tail})"): 0} | fixed


ADD = _by_coins("AddLiquidity", ",uint256,uint256")
REMOVE = _by_coins("RemoveLiquidity", ",uint256")
REMOVE_IMBALANCE = _by_coins("RemoveLiquidityImbalance", ",uint256,uint256")
TOPICS = frozenset({EXCHANGE, EXCHANGE_UNDERLYING, *REMOVE_ONE, *_ADMIN, *ADD, *REMOVE, *REMOVE_IMBALANCE})
HARMLESS = SHARE_TOPICS | topics_of(
    "CommitNewAdmin(uint256,address)",
    "NewAdmin(address)",
    "TransferOwnership(address,address)",
    "CommitNewFee(uint256)",
    "CommitNewFee(uint256,uint256,uint256)",
    "CommitNewFee(uint256,uint256,uint256,uint256)",
    "CommitNewParameters(uint256,uint256,uint256,uint256)",
    "SetNewMATime(uint256,uint256)",
)


def apply(state: CurveStableswapState, log: Log) -> CurveStableswapState:
    """The state after a log of this pool; doubtful where the log does not tell it.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    name = log.topics[0] if log.topics else None
    if name not in TOPICS:
        raise MalformedLogError(state.pool.id, "topics", "the log is none that a StableSwap pool emits")
    try:
        return _after(state, name, log)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error


def _after(state: CurveStableswapState, name: Hash32, log: Log) -> CurveStableswapState:
    if name in _ADMIN:
        _check_topics(state, log, 1)
        return _after_admin(state, name, log)
    _check_topics(state, log, 2)
    if name in (EXCHANGE, EXCHANGE_UNDERLYING):
        return _after_exchange(state, log, is_direct=name == EXCHANGE)
    if name in REMOVE_ONE:
        words_of_hex(log.data, REMOVE_ONE[name])
        return _doubtful(state)
    lists = ADD | REMOVE_IMBALANCE | REMOVE
    amounts, fees, tail = _lists(state, log, lists[name], 1 if name in REMOVE else 2)
    if not _is_folded(state):
        return _doubtful(state)
    if name in REMOVE:
        return _with_balances(state, tuple(b - a for b, a in zip(state.balances, amounts, strict=True)))
    sign = 1 if name in ADD else -1
    changed = tuple(b + sign * a for b, a in zip(state.balances, amounts, strict=True))
    return _after_uneven_change(_with_balances(state, changed), fees, tail[0])


def _after_admin(state: CurveStableswapState, name: Hash32, log: Log) -> CurveStableswapState:
    values = words_of_hex(log.data, _ADMIN[name])
    if not _is_folded(state) or name not in (NEW_FEE, NEW_PARAMETERS):
        return _doubtful(state)
    fee, admin_fee = values[-2:]
    if fee >= FEE_DENOMINATOR or admin_fee > FEE_DENOMINATOR:
        raise MalformedLogError(state.pool.id, "fee", f"{fee} and {admin_fee} of 1e10")
    ramp = state.ramp if name == NEW_FEE else Ramp(values[0], values[0], 0, 0)
    return msgspec.structs.replace(state, fee=fee, admin_fee=admin_fee, ramp=ramp)


def _after_exchange(state: CurveStableswapState, log: Log, *, is_direct: bool) -> CurveStableswapState:
    words = words_of_hex(log.data, 4)
    sold, bought = signed(words[0]), signed(words[2])
    if not _is_folded(state) or not is_direct:
        return _doubtful(state)
    count = len(state.balances)
    if sold == bought or not (0 <= sold < count and 0 <= bought < count):
        raise MalformedLogError(state.pool.id, "coins", f"coin {sold} for coin {bought} of {count}")
    try:
        balances = _balances_after(state, sold, bought, words[1], words[3])
    except ArithmeticError:
        balances = None
    return _doubtful(state) if balances is None else _with_balances(state, balances)


def _balances_after(
    state: CurveStableswapState, sold: int, bought: int, amount_in: int, amount_out: int
) -> tuple[int, ...] | None:
    """Balances after a swap that must pay `amount_out`; None where it does not."""
    pool = prepared(state.curve(_ANY_TIME), common_units(state.balances, state.rates), state.stable_fee)
    added = amount_in * state.rates[sold] // PRECISION
    done = swap(pool, sold, bought, added, held_back=state.terms.held_back)
    if done.net * PRECISION // state.rates[bought] != amount_out:
        return None
    balances = list(state.balances)
    balances[sold] += amount_in
    balances[bought] = _left(state, bought, amount_out, done)
    return tuple(balances)


def _left(state: CurveStableswapState, bought: int, amount_out: int, done: StableSwap) -> int:
    """What a swap leaves of the coin bought; the pools that hold nothing back (sUSD's) put down the curve's balance."""
    rate, admin = state.rates[bought], done.fee * state.admin_fee // FEE_DENOMINATOR
    if state.terms.held_back == 0:
        return (done.balance_out + done.fee - admin) * PRECISION // rate
    return state.balances[bought] - amount_out - admin * PRECISION // rate


def _after_uneven_change(state: CurveStableswapState, fees: tuple[int, ...], told: int) -> CurveStableswapState:
    """After a deposit or an uneven withdrawal, whose log tells the invariant before fees."""
    try:
        ours = invariant(state.curve(_ANY_TIME), common_units(state.balances, state.rates))
    except ArithmeticError:
        return _doubtful(state)
    if ours != told:
        return _doubtful(state)
    kept = (b - fee * state.admin_fee // FEE_DENOMINATOR for b, fee in zip(state.balances, fees, strict=True))
    return _with_balances(state, tuple(kept))


def _lists(
    state: CurveStableswapState, log: Log, count: int, tail: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Amounts, fees and what follows them."""
    coins = len(state.terms.coins)
    if count == 0:
        words = words_of_hex(log.data)
        amounts, fees, rest = array_at(words, 0), array_at(words, 1), words[2 : 2 + tail]
        return amounts, fees, rest
    if count != coins:
        raise MalformedLogError(state.pool.id, "coins", f"{count} amounts for {coins} coins")
    words = words_of_hex(log.data, 2 * count + tail)
    return words[:count], words[count : 2 * count], words[2 * count :]


def _check_topics(state: CurveStableswapState, log: Log, count: int) -> None:
    if len(log.topics) != count:
        raise MalformedLogError(state.pool.id, "topics", f"{len(log.topics)} of them instead of {count}")


def _is_folded(state: CurveStableswapState) -> bool:
    return state.terms.follows_logs and state.read_at is None and not state.is_doubtful


def _doubtful(state: CurveStableswapState) -> CurveStableswapState:
    return msgspec.structs.replace(state, is_doubtful=True)


def _with_balances(state: CurveStableswapState, balances: tuple[int, ...]) -> CurveStableswapState:
    for coin, balance in zip(state.terms.coins, balances, strict=True):
        if not 0 <= balance < BALANCE_END:
            raise MalformedLogError(state.pool.id, "balances", f"{balance} of {coin} cannot follow the state held")
    return msgspec.structs.replace(state, balances=balances)
