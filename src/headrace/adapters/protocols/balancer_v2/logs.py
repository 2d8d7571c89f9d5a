"""Logs to state: the vault tells of swaps, joins, exits and managed balances, the pool of its fee and its pause."""

import msgspec

from headrace.adapters.protocols.balancer_v2.state import BALANCE_END, BalancerV2State, pool_contract
from headrace.adapters.protocols.words import address_of, array_at, signed, topic, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import PoolId
from headrace.model.event import Log

SWAP = topic("Swap(bytes32,address,address,uint256,uint256)")
BALANCE_CHANGED = topic("PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])")
BALANCE_MANAGED = topic("PoolBalanceManaged(bytes32,address,address,int256,int256)")
FEE_CHANGED = topic("SwapFeePercentageChanged(uint256)")
PAUSE_CHANGED = topic("PausedStateChanged(bool)")
TOPICS = frozenset({SWAP, BALANCE_CHANGED, BALANCE_MANAGED, FEE_CHANGED, PAUSE_CHANGED})

# number of topics: the first, the pool's id, and what else is indexed
VAULT_TOPIC_COUNTS = {SWAP: 4, BALANCE_CHANGED: 3, BALANCE_MANAGED: 4}


def apply(state: BalancerV2State, log: Log) -> BalancerV2State:
    """The state after a log of this pool.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    try:
        if log.address == state.pool.address:
            return _after_vault_log(state, log)
        if log.address == pool_contract(state.pool):
            return _after_pool_log(state, log)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")


def _after_vault_log(state: BalancerV2State, log: Log) -> BalancerV2State:
    name = log.topics[0] if log.topics else None
    is_ours = name in VAULT_TOPIC_COUNTS and len(log.topics) == VAULT_TOPIC_COUNTS[name]
    if not is_ours or PoolId(log.topics[1]) != state.pool.id:
        raise MalformedLogError(state.pool.id, "topics", "the log is none of this pool's in the vault")
    if name == SWAP:
        return _after_swap(state, log)
    return _after_join_or_exit(state, log) if name == BALANCE_CHANGED else _after_management(state, log)


def _after_pool_log(state: BalancerV2State, log: Log) -> BalancerV2State:
    if log.topics == (FEE_CHANGED,):
        (fee,) = words_of_hex(log.data, 1)
        if fee >= ONE:
            raise MalformedLogError(state.pool.id, "swap_fee", f"{fee} of 1e18 leaves nothing")
        return msgspec.structs.replace(state, swap_fee=fee)
    if log.topics == (PAUSE_CHANGED,):
        (flag,) = words_of_hex(log.data, 1)
        return msgspec.structs.replace(state, is_paused=flag != 0)
    raise MalformedLogError(state.pool.id, "topics", "the log is none that a pool emits")


def _after_swap(state: BalancerV2State, log: Log) -> BalancerV2State:
    amount_in, amount_out = words_of_hex(log.data, 2)
    cash = list(state.cash)
    cash[_index(state, log.topics[2])] += amount_in
    cash[_index(state, log.topics[3])] -= amount_out
    return _with_balances(state, tuple(cash), state.managed)


def _after_join_or_exit(state: BalancerV2State, log: Log) -> BalancerV2State:
    words = words_of_hex(log.data)
    tokens = tuple(address_of(word) for word in array_at(words, 0))
    deltas = tuple(signed(word) for word in array_at(words, 1))
    fees = array_at(words, 2)
    if tokens != state.pool.tokens or len(deltas) != len(tokens) or len(fees) != len(tokens):
        raise MalformedLogError(state.pool.id, "tokens", "they are not the pool's")
    cash = tuple(c + delta - fee for c, delta, fee in zip(state.cash, deltas, fees, strict=True))
    return _with_balances(state, cash, state.managed)


def _after_management(state: BalancerV2State, log: Log) -> BalancerV2State:
    index = _index(state, log.topics[3])
    cash_delta, managed_delta = (signed(word) for word in words_of_hex(log.data, 2))
    cash, managed = list(state.cash), list(state.managed)
    cash[index] += cash_delta
    managed[index] += managed_delta
    return _with_balances(state, tuple(cash), tuple(managed))


def _with_balances(state: BalancerV2State, cash: tuple[int, ...], managed: tuple[int, ...]) -> BalancerV2State:
    for token, in_vault, lent in zip(state.pool.tokens, cash, managed, strict=True):
        if in_vault < 0 or lent < 0 or in_vault + lent >= BALANCE_END:
            why = f"{in_vault} and {lent} of {token} cannot follow the state that is held"
            raise MalformedLogError(state.pool.id, "balances", why)
    return msgspec.structs.replace(state, cash=cash, managed=managed)


def _index(state: BalancerV2State, word: str) -> int:
    token = address_of(int(word, 16))
    if token not in state.pool.tokens:
        raise MalformedLogError(state.pool.id, "tokens", f"{token} is not the pool's")
    return state.pool.tokens.index(token)
