"""Logs to state: the vault tells of swaps, liquidity, fees and pauses, a stable pool of its amplification.

Where a token has a rate, the vault takes a fee on yield before each operation and no log says how much: such a pool is
read again after each.

Harmless is what the vault says of other business than its pools': shares, buffers of wrapped tokens, queries, who
governs. A pool may let the vault say something for it (`VaultAuxiliary`): a stable pool so repeats its amplification;
whatever else a pool says there is not known here.

Source: Balancer v3 vault 1.0.0, IVaultEvents.sol, ERC20MultiToken.sol; StablePool.sol.
"""

import msgspec

from headrace.adapters.protocols.balancer_v3.state import (
    AMPLIFICATION_END,
    FEE_UNIT,
    BalancerV3State,
    StableTerms,
    pool_contract,
)
from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.vault_registry import VaultForm
from headrace.adapters.protocols.words import address_of, array_at, topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.balancer_v3 import BALANCE_END
from headrace.kernels.fixed_point_power import ONE, multiply_down
from headrace.kernels.ramp import Ramp
from headrace.model.address import Hash32, PoolId
from headrace.model.event import Log

SWAP = topic("Swap(address,address,address,uint256,uint256,uint256,uint256)")
ADDED = topic("LiquidityAdded(address,address,uint8,uint256,uint256[],uint256[])")
REMOVED = topic("LiquidityRemoved(address,address,uint8,uint256,uint256[],uint256[])")
INITIALIZED = topic("PoolInitialized(address)")
FEE_CHANGED = topic("SwapFeePercentageChanged(address,uint256)")
AGGREGATE_FEE_CHANGED = topic("AggregateSwapFeePercentageChanged(address,uint256)")
YIELD_FEE_CHANGED = topic("AggregateYieldFeePercentageChanged(address,uint256)")
PAUSE_CHANGED = topic("PoolPausedStateChanged(address,bool)")
RECOVERY_CHANGED = topic("PoolRecoveryModeStateChanged(address,bool)")
VAULT_PAUSE_CHANGED = topic("VaultPausedStateChanged(bool)")
AMP_STARTED = topic("AmpUpdateStarted(uint256,uint256,uint256,uint256)")
AMP_STOPPED = topic("AmpUpdateStopped(uint256)")
AUXILIARY = topic("VaultAuxiliary(address,bytes32,bytes)")
REPEATED = frozenset(Hash32("0x" + name.ljust(32, b"\0").hex()) for name in (b"AmpUpdateStarted", b"AmpUpdateStopped"))

_TOKEN = "(address,uint8,address,bool)"  # noqa: S105 - a type's name: token, kind, rate provider, pays fees on yield
_ROLES = "(address,address,address)"
_HOOKS = f"({'bool,' * 10}address)"
_LIQUIDITY = "(bool,bool,bool,bool)"
POOL_REGISTERED = topic(f"PoolRegistered(address,address,{_TOKEN}[],uint256,uint32,{_ROLES},{_HOOKS},{_LIQUIDITY})")

# number of topics: the first, the pool, and what else is indexed
VAULT_TOPIC_COUNTS = {
    SWAP: 4,
    ADDED: 4,
    REMOVED: 4,
    INITIALIZED: 2,
    FEE_CHANGED: 2,
    AGGREGATE_FEE_CHANGED: 2,
    YIELD_FEE_CHANGED: 2,
    PAUSE_CHANGED: 2,
    RECOVERY_CHANGED: 2,
    AUXILIARY: 3,
}
VAULT_FORM = VaultForm(
    VAULT_TOPIC_COUNTS, VAULT_PAUSE_CHANGED, pool_contract, lambda word: PoolId(address_of(int(word, 16)))
)
TOPICS = frozenset(VAULT_TOPIC_COUNTS) | {VAULT_PAUSE_CHANGED, AMP_STARTED, AMP_STOPPED}
HARMLESS = (
    SHARE_TOPICS
    | {POOL_REGISTERED}
    | topics_of(
        "Transfer(address,address,address,uint256)",
        "Approval(address,address,address,uint256)",
        "Wrap(address,uint256,uint256,bytes32)",
        "Unwrap(address,uint256,uint256,bytes32)",
        "LiquidityAddedToBuffer(address,uint256,uint256,bytes32)",
        "LiquidityRemovedFromBuffer(address,uint256,uint256,bytes32)",
        "BufferSharesMinted(address,address,uint256)",
        "BufferSharesBurned(address,address,uint256)",
        "VaultBuffersPausedStateChanged(bool)",
        "VaultQueriesDisabled()",
        "VaultQueriesEnabled()",
        "AuthorizerChanged(address)",
        "ProtocolFeeControllerChanged(address)",
    )
)
_BYTES_AT = 32
_SHIFTING = frozenset({SWAP, ADDED, REMOVED, YIELD_FEE_CHANGED, RECOVERY_CHANGED})


def apply(state: BalancerV3State, log: Log) -> BalancerV3State:
    """The state after a log of this pool.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    try:
        if log.address == pool_contract(state.pool):
            return _after_own_log(state, log)
        if log.address == state.pool.address:
            return _after_vault_log(state, log)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")


def _after_vault_log(state: BalancerV3State, log: Log) -> BalancerV3State:
    name = log.topics[0] if log.topics else None
    is_ours = name in VAULT_TOPIC_COUNTS and len(log.topics) == VAULT_TOPIC_COUNTS[name]
    if name is None or not is_ours or address_of(int(log.topics[1], 16)) != pool_contract(state.pool):
        raise MalformedLogError(state.pool.id, "topics", "the log is none of this pool's in the vault")
    if name == SWAP:
        after = _after_swap(state, log)
    elif name in {ADDED, REMOVED}:
        after = _after_liquidity(state, log, 1 if name == ADDED else -1)
    elif name == INITIALIZED:
        words_of_hex(log.data, 0)
        after = msgspec.structs.replace(state, is_initialized=True)
    elif name == AUXILIARY:
        after = _after_auxiliary(state, log)
    else:
        after = _after_setting(state, name, *words_of_hex(log.data, 1))
    must_be_read = state.must_be_read or (state.terms.has_rates and name in _SHIFTING)
    return msgspec.structs.replace(after, must_be_read=must_be_read)


def _after_auxiliary(state: BalancerV3State, log: Log) -> BalancerV3State:
    words = words_of_hex(log.data)
    is_sized = len(words) > 1 and words[0] == _BYTES_AT and len(words) == 2 + -(-words[1] // _BYTES_AT)
    if not is_sized or log.topics[2] not in REPEATED or not isinstance(state.curve, StableTerms):
        raise MalformedLogError(state.pool.id, "topics", f"{log.topics[2]} is nothing that such a pool lets be told")
    return state


def _after_setting(state: BalancerV3State, name: Hash32, value: int) -> BalancerV3State:
    if name in {FEE_CHANGED, AGGREGATE_FEE_CHANGED, YIELD_FEE_CHANGED} and value > ONE:
        raise MalformedLogError(state.pool.id, "fee", f"{value} of 1e18 is more than all")
    kept = value // FEE_UNIT * FEE_UNIT
    changes: dict[Hash32, dict[str, object]] = {
        FEE_CHANGED: {"swap_fee": kept},
        AGGREGATE_FEE_CHANGED: {"aggregate_fee": kept},
        PAUSE_CHANGED: {"is_paused": value != 0},
        RECOVERY_CHANGED: {"is_recovering": value != 0},
    }
    return msgspec.structs.replace(state, **changes.get(name, {}))


def _after_swap(state: BalancerV3State, log: Log) -> BalancerV3State:
    amount_in, amount_out, _, fee = words_of_hex(log.data, 4)
    tokens = state.pool.tokens
    token_in, token_out = (address_of(int(word, 16)) for word in log.topics[2:])
    if token_in not in tokens or token_out not in tokens:
        raise MalformedLogError(state.pool.id, "tokens", f"{token_in} or {token_out} is not the pool's")
    balances = list(state.balances)
    balances[tokens.index(token_in)] += amount_in - _leaving(state, fee)
    balances[tokens.index(token_out)] -= amount_out
    return _with_balances(state, tuple(balances))


def _after_liquidity(state: BalancerV3State, log: Log, sign: int) -> BalancerV3State:
    words = words_of_hex(log.data)
    amounts, fees = array_at(words, 1), array_at(words, 2)
    if not len(amounts) == len(fees) == len(state.balances):
        raise MalformedLogError(state.pool.id, "amounts", f"{len(amounts)} and {len(fees)} for the pool's tokens")
    rows = zip(state.balances, amounts, fees, strict=True)
    return _with_balances(state, tuple(held + sign * amount - _leaving(state, fee) for held, amount, fee in rows))


def _leaving(state: BalancerV3State, fee: int) -> int:
    """What of a swap fee goes to protocol and creator."""
    return 0 if state.is_recovering else multiply_down(fee, state.aggregate_fee)


def _with_balances(state: BalancerV3State, balances: tuple[int, ...]) -> BalancerV3State:
    for token, balance in zip(state.pool.tokens, balances, strict=True):
        if not 0 <= balance < BALANCE_END:
            why = f"{balance} of {token} cannot follow the state that is held"
            raise MalformedLogError(state.pool.id, "balances", why)
    return msgspec.structs.replace(state, balances=balances)


def _after_own_log(state: BalancerV3State, log: Log) -> BalancerV3State:
    if not isinstance(state.curve, StableTerms):
        raise MalformedLogError(state.pool.id, "topics", "a weighted pool tells nothing itself")
    if log.topics == (AMP_STARTED,):
        ramp = Ramp(*words_of_hex(log.data, 4))
    elif log.topics == (AMP_STOPPED,):
        (value,) = words_of_hex(log.data, 1)
        ramp = Ramp(value, value)
    else:
        raise MalformedLogError(state.pool.id, "topics", "the log is none that a stable pool emits")
    if ramp.flaw(1, AMPLIFICATION_END):
        raise MalformedLogError(state.pool.id, "amplification", f"{ramp} is none")
    return msgspec.structs.replace(state, curve=StableTerms(ramp))
