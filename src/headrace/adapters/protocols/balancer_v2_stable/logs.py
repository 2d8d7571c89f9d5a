"""Logs to state: the vault's and every pool's by `balancer_v2_vault.logs`; here amplification and rates.

A log that a rate was cached tells the rate, but not until when it holds (that follows from the block's time, which a
log does not carry), so the state is then to be read again. So it is when a cache is to hold longer or shorter, which
pools tell by naming the provider again.
"""

import msgspec

from headrace.adapters.protocols.balancer_v2_stable.state import (
    AMPLIFICATION_END,
    BalancerV2StableState,
)
from headrace.adapters.protocols.balancer_v2_vault import logs as vault_logs
from headrace.adapters.protocols.words import topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.ramp import Ramp
from headrace.model.event import Log

AMP_STARTED = topic("AmpUpdateStarted(uint256,uint256,uint256,uint256)")
AMP_STOPPED = topic("AmpUpdateStopped(uint256)")
# by index in composable pools, by token in phantom and meta-stable ones
RATE_CACHED = topics_of(
    "TokenRateCacheUpdated(uint256,uint256)",
    "TokenRateCacheUpdated(address,uint256)",
    "PriceRateCacheUpdated(address,uint256)",
)
PROVIDER_SET = topics_of(
    "TokenRateProviderSet(uint256,address,uint256)",
    "TokenRateProviderSet(address,address,uint256)",
    "PriceRateProviderSet(address,address,uint256)",
)
TOPICS = vault_logs.TOPICS | RATE_CACHED | PROVIDER_SET | {AMP_STARTED, AMP_STOPPED}
HARMLESS = vault_logs.HARMLESS
_RATE_TOPIC_COUNTS = dict.fromkeys(RATE_CACHED, 2) | dict.fromkeys(PROVIDER_SET, 3)


def apply(state: BalancerV2StableState, log: Log) -> BalancerV2StableState:
    """The state after a log of this pool.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    return vault_logs.after_log(state, log, _after_own_log)


def _after_own_log(state: BalancerV2StableState, log: Log) -> BalancerV2StableState:
    if log.topics == (AMP_STARTED,):
        return _with_ramp(state, Ramp(*words_of_hex(log.data, 4)))
    if log.topics == (AMP_STOPPED,):
        (value,) = words_of_hex(log.data, 1)
        return _with_ramp(state, Ramp(value, value))
    if log.topics and _RATE_TOPIC_COUNTS.get(log.topics[0]) == len(log.topics):
        words_of_hex(log.data, 1)
        return msgspec.structs.replace(state, must_be_read=True)
    return vault_logs.after_fee_or_pause(state, log)


def _with_ramp(state: BalancerV2StableState, ramp: Ramp) -> BalancerV2StableState:
    if ramp.flaw(AMP_PRECISION, AMPLIFICATION_END):
        raise MalformedLogError(state.pool.id, "amplification", f"{ramp} is none")
    return msgspec.structs.replace(state, amplification=ramp)
