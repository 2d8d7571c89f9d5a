"""Logs to state, as far as every pool of the vault emits them.

The vault tells of swaps, joins, exits and managed balances, the pool's contract of its fee and its pause. A pool that
counts its own token among those it registers (composable ones do) holds it as stock to be issued: no price follows
from it, so states do not carry it, and what logs say of it is passed over.

Harmless is what the vault says of other business than its pools', and what a pool says of its shares, of the protocol's
part in its fees, of its oracle, and of recovery, which opens a way out and changes no swap. Tokens that are registered
with a pool that is followed, or leave it, make it another pool.

Source: the vault and the pools as published in @balancer-labs/v2-deployments 3.2.0.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from headrace.adapters.protocols.balancer_v2_vault.state import BALANCE_END, VaultState, pool_contract
from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.vault_registry import VaultForm
from headrace.adapters.protocols.words import address_of, array_at, signed, topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address, PoolId
from headrace.model.event import Log

SWAP = topic("Swap(bytes32,address,address,uint256,uint256)")
BALANCE_CHANGED = topic("PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])")
BALANCE_MANAGED = topic("PoolBalanceManaged(bytes32,address,address,int256,int256)")
FEE_CHANGED = topic("SwapFeePercentageChanged(uint256)")
PAUSE_CHANGED = topic("PausedStateChanged(bool)")
TOKENS_CHANGED = topics_of("TokensRegistered(bytes32,address[],address[])", "TokensDeregistered(bytes32,address[])")
TOPICS = frozenset({SWAP, BALANCE_CHANGED, BALANCE_MANAGED, FEE_CHANGED, PAUSE_CHANGED}) | TOKENS_CHANGED
HARMLESS = SHARE_TOPICS | topics_of(
    "PoolRegistered(bytes32,address,uint8)",
    "AuthorizerChanged(address)",
    "ExternalBalanceTransfer(address,address,address,uint256)",
    "FlashLoan(address,address,uint256,uint256)",
    "InternalBalanceChanged(address,address,int256)",
    "RelayerApprovalChanged(address,address,bool)",
    "RecoveryModeStateChanged(bool)",
    "ProtocolFeePercentageCacheUpdated(uint256,uint256)",
    "CachedProtocolSwapFeePercentageUpdated(uint256)",
    "DueProtocolFeeIncreased(uint256)",
    "OracleEnabledChanged(bool)",
)

# number of topics: the first, the pool's id, and what else is indexed
VAULT_TOPIC_COUNTS = {SWAP: 4, BALANCE_CHANGED: 3, BALANCE_MANAGED: 4} | dict.fromkeys(TOKENS_CHANGED, 2)
VAULT_FORM = VaultForm(VAULT_TOPIC_COUNTS, PAUSE_CHANGED, pool_contract, PoolId)

S = TypeVar("S", bound=VaultState)


def after_log(state: S, log: Log, after_own_log: Callable[[S, Log], S]) -> S:
    """The state after a log of the vault, or after one of the pool's contract by `after_own_log`.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    try:
        if log.address == state.pool.address:
            return _after_vault_log(state, log)
        if log.address == pool_contract(state.pool):
            return after_own_log(state, log)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")


def after_fee_or_pause(state: S, log: Log) -> S:
    """The state after a log of the pool's contract that every pool may emit.

    Raises:
        MalformedLogError: the log is another one.
        ValueError: its data are not of the event's form.
    """
    if log.topics == (FEE_CHANGED,):
        (fee,) = words_of_hex(log.data, 1)
        if fee >= ONE:
            raise MalformedLogError(state.pool.id, "swap_fee", f"{fee} of 1e18 leaves nothing")
        return msgspec.structs.replace(state, swap_fee=fee)
    if log.topics == (PAUSE_CHANGED,):
        (flag,) = words_of_hex(log.data, 1)
        return msgspec.structs.replace(state, is_paused=flag != 0)
    raise MalformedLogError(state.pool.id, "topics", "the log is none that a pool emits")


def _after_vault_log(state: S, log: Log) -> S:
    name = log.topics[0] if log.topics else None
    is_ours = name in VAULT_TOPIC_COUNTS and len(log.topics) == VAULT_TOPIC_COUNTS[name]
    if not is_ours or PoolId(log.topics[1]) != state.pool.id:
        raise MalformedLogError(state.pool.id, "topics", "the log is none of this pool's in the vault")
    if name in TOKENS_CHANGED:
        raise MalformedLogError(state.pool.id, "tokens", "some were registered or left: it is another pool now")
    if name == SWAP:
        return _after_swap(state, log)
    return _after_join_or_exit(state, log) if name == BALANCE_CHANGED else _after_management(state, log)


def _after_swap(state: S, log: Log) -> S:
    amount_in, amount_out = words_of_hex(log.data, 2)
    deltas = {_token(log.topics[2]): amount_in}
    token_out = _token(log.topics[3])
    deltas[token_out] = deltas.get(token_out, 0) - amount_out
    return _with_changes(state, deltas, {})


def _after_join_or_exit(state: S, log: Log) -> S:
    words = words_of_hex(log.data)
    tokens = tuple(address_of(word) for word in array_at(words, 0))
    deltas = tuple(signed(word) for word in array_at(words, 1))
    fees = array_at(words, 2)
    own = pool_contract(state.pool)
    if tuple(token for token in tokens if token != own) != state.pool.tokens:
        raise MalformedLogError(state.pool.id, "tokens", "they are not the pool's")
    if len(deltas) != len(tokens) or len(fees) != len(tokens):
        raise MalformedLogError(state.pool.id, "tokens", "there is not one amount for each")
    changes = {token: delta - fee for token, delta, fee in zip(tokens, deltas, fees, strict=True)}
    return _with_changes(state, changes, {})


def _after_management(state: S, log: Log) -> S:
    token = _token(log.topics[3])
    cash_delta, managed_delta = (signed(word) for word in words_of_hex(log.data, 2))
    return _with_changes(state, {token: cash_delta}, {token: managed_delta})


def _with_changes(state: S, cash_deltas: dict[Address, int], managed_deltas: dict[Address, int]) -> S:
    pool = state.pool
    for token in cash_deltas:
        if token not in pool.tokens and token != pool_contract(pool):
            raise MalformedLogError(pool.id, "tokens", f"{token} is not the pool's")
    cash = tuple(held + cash_deltas.get(token, 0) for token, held in zip(pool.tokens, state.cash, strict=True))
    managed = tuple(held + managed_deltas.get(token, 0) for token, held in zip(pool.tokens, state.managed, strict=True))
    for token, in_vault, lent in zip(pool.tokens, cash, managed, strict=True):
        if in_vault < 0 or lent < 0 or in_vault + lent >= BALANCE_END:
            why = f"{in_vault} and {lent} of {token} cannot follow the state that is held"
            raise MalformedLogError(pool.id, "balances", why)
    return msgspec.structs.replace(state, cash=cash, managed=managed)


def _token(word: str) -> Address:
    return address_of(int(word, 16))
