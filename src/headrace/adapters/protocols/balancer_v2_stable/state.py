"""What vault and pool store: balances in the vault; amplification, rates and fee in the pool.

Amplification is a line in time, from one value to another. The getter tells only where it stands, so a pool that is
read in the middle of its way has none here until its end, unless the log that started it was seen.

A rate is kept in a cache that runs out by itself; the first swap after that asks the provider and fills it anew. So a
state with rates says as of which block the providers were asked.
"""

import msgspec

from headrace.adapters.protocols.balancer_v2_vault.state import VaultState, VaultTerms, check_holdings
from headrace.errors import MalformedPoolError
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.ramp import Ramp
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("balancer_v2_stable")
AMPLIFICATION_END = 5000 * AMP_PRECISION + 1
RATE_END = 1 << 96  # what the caches of composable pools hold
TOKENS_MAX = 5
NEVER = (1 << 63) - 1
_SCALINGS = frozenset(10**digits for digits in range(18, 37))
_SECONDS_PER_BLOCK_MAX = 60  # only for reading in time: a quote is held against the clock itself


class StableTerms(VaultTerms, frozen=True):
    """What never changes about a stable pool, beside its tokens.

    Attributes:
        scalings: 18-decimal factors 10^(18 - decimals), parallel to the pool's tokens.
        rounds_up: whether the pool computes its invariant as the first ones did (`kernels.balancer_stable`).
        renews_late: whether the swap that renews a rate still counts with the one before, as phantom pools do.
    """

    scalings: tuple[int, ...]
    rounds_up: bool
    renews_late: bool


class CachedRate(msgspec.Struct, frozen=True):
    """A token's rate, 18 decimals.

    Attributes:
        cached: what swaps use up to and in the second `expires_at`.
        expires_at: Unix seconds; by default it never does.
        provided: what the provider says, which the first swap after that caches; None where it reverts.
    """

    cached: int
    expires_at: int = NEVER
    provided: int | None = None


class ReadAt(msgspec.Struct, frozen=True):
    """The block after which a state was read."""

    number: int
    timestamp: int


class BalancerV2StableState(VaultState, frozen=True):
    """A stable pool.

    Attributes:
        amplification: None while it moves and nobody saw it start.
        rates: parallel to the pool's tokens; None where a token has no provider and counts at par.
        read_at: None where no block can change what logs do not tell.
        must_be_read: whether a log said that a cache was filled, which also moves its end without saying so.
    """

    pool: Pool
    terms: StableTerms
    amplification: Ramp | None
    rates: tuple[CachedRate | None, ...]
    read_at: ReadAt | None = None
    must_be_read: bool = False

    def is_outdated(self, block_number: int) -> bool:
        """Whether something that no log tells may have changed by the end of that block."""
        if self.must_be_read:
            return True
        if self.read_at is None or block_number <= self.read_at.number:
            return False
        if self.amplification is None:
            return True
        left = min((rate.expires_at for rate in self.rates if rate), default=0) - self.read_at.timestamp
        return (block_number - self.read_at.number) * _SECONDS_PER_BLOCK_MAX > left


def checked_state(state: BalancerV2StableState) -> BalancerV2StableState:
    """The state itself, if vault and pool could store it.

    Raises:
        MalformedPoolError: lists of different lengths, more than five tokens, amplification or a rate out of range, a
            balance over 112 bits, a fee of all there is.
    """
    pool = state.pool
    check_holdings(state, {"scalings": state.terms.scalings, "rates": state.rates})
    if len(pool.tokens) > TOKENS_MAX:
        raise MalformedPoolError(pool.id, "tokens", f"a stable pool has at most {TOKENS_MAX}, not {len(pool.tokens)}")
    ramp = state.amplification
    flaw = ramp.flaw(AMP_PRECISION, AMPLIFICATION_END) if ramp else None
    if flaw:
        raise MalformedPoolError(pool.id, f"amplification.{flaw[0]}", flaw[1])
    if state.read_at is None and (ramp is None or any(state.rates)):
        raise MalformedPoolError(pool.id, "read_at", "a pool whose rates or amplification move says when it was read")
    for index, rate in enumerate(state.rates):
        if rate and not 0 < rate.cached < RATE_END:
            raise MalformedPoolError(
                pool.id, f"rates[{index}].cached", f"{rate.cached} is not from 1 to {RATE_END - 1}"
            )
    for index, scaling in enumerate(state.terms.scalings):
        if scaling not in _SCALINGS:
            why = f"{scaling} is not 10^(36 - decimals) of 0 to 18 decimals"
            raise MalformedPoolError(pool.id, f"scalings[{index}]", why)
    return state
