"""Logs to state: all that changes a weighted pool is what every pool of the vault emits."""

from headrace.adapters.protocols.balancer_v2.state import BalancerV2State
from headrace.adapters.protocols.balancer_v2_vault import logs as vault_logs
from headrace.model.event import Log

TOPICS, HARMLESS = vault_logs.TOPICS, vault_logs.HARMLESS


def apply(state: BalancerV2State, log: Log) -> BalancerV2State:
    """The state after a log of this pool.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    return vault_logs.after_log(state, log, vault_logs.after_fee_or_pause)
