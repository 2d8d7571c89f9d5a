"""What vault and pool store: balances in the vault, weights and fee in the pool."""

from headrace.adapters.protocols.balancer_v2_vault.state import VaultState, VaultTerms, check_holdings
from headrace.errors import MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("balancer_v2")


class WeightedTerms(VaultTerms, frozen=True):
    """What never changes about a weighted pool, beside its tokens.

    Attributes:
        weights: 18-decimal fractions of 1e18 in sum, parallel to the pool's tokens.
        has_shortcuts: whether the pool's power shortcuts the exponents 1, 2 and 4.
    """

    weights: tuple[int, ...]
    has_shortcuts: bool


class BalancerV2State(VaultState, frozen=True):
    """A weighted pool: its curve follows from its terms and balances alone."""

    pool: Pool
    terms: WeightedTerms


def checked_state(state: BalancerV2State) -> BalancerV2State:
    """The state itself, if vault and pool could store it.

    Raises:
        MalformedPoolError: lists of different lengths, weights that are not 1e18 in sum, a balance over 112 bits, a fee
            of all there is.
    """
    check_holdings(state, {"weights": state.terms.weights})
    weights = state.terms.weights
    if sum(weights) != ONE or min(weights) <= 0:
        raise MalformedPoolError(state.pool.id, "weights", f"they are {sum(weights)} in sum, not 1e18, or one is 0")
    return state
