"""What vault and pool store: balances in the vault, weights and fee in the pool."""

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("balancer_v2")
BALANCE_END = 1 << 112  # cash and managed together: the vault packs both into one word
_TOKENS_MIN = 2


class WeightedTerms(msgspec.Struct, frozen=True):
    """What never changes about a weighted pool, beside its tokens.

    Attributes:
        weights: 18-decimal fractions of 1e18 in sum, parallel to the pool's tokens.
        has_shortcuts: whether the pool's power shortcuts the exponents 1, 2 and 4.
        pause_ends_at: last Unix second in which a pause of the pool can hold; `vault_pause_ends_at` is the vault's.
    """

    weights: tuple[int, ...]
    has_shortcuts: bool
    pause_ends_at: int
    vault_pause_ends_at: int


class BalancerV2State(msgspec.Struct, frozen=True):
    """Balances in raw units, parallel to the pool's tokens; the price follows from `cash` plus `managed`.

    Attributes:
        cash: in the vault, and all that a swap can pay out.
        managed: lent out by the pool's asset manager.
        swap_fee: 18-decimal fraction.
        is_paused: the pool's own flag; `is_vault_paused` is the vault's.
    """

    pool: Pool
    terms: WeightedTerms
    cash: tuple[int, ...]
    managed: tuple[int, ...]
    swap_fee: int
    is_paused: bool
    is_vault_paused: bool

    def balance(self, index: int) -> int:
        """Cash and managed of one token."""
        return self.cash[index] + self.managed[index]


def pool_contract(pool: Pool) -> Address:
    """The pool's own contract: the first 20 bytes of its id."""
    return Address(pool.id[:42])


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be a weighted pool's.

    Raises:
        MalformedPoolError: fewer than two tokens, or one of them twice.
    """
    if len(pool.tokens) < _TOKENS_MIN:
        raise MalformedPoolError(pool.id, "tokens", f"a pool has at least two tokens, not {len(pool.tokens)}")
    if len(set(pool.tokens)) != len(pool.tokens):
        raise MalformedPoolError(pool.id, "tokens", "a token is listed twice")
    return pool


def checked_state(state: BalancerV2State) -> BalancerV2State:
    """The state itself, if vault and pool could store it.

    Raises:
        MalformedPoolError: lists of different lengths, weights that are not 1e18 in sum, a balance over 112 bits, a fee
            of all there is.
    """
    pool, terms, count = state.pool, state.terms, len(checked_pool(state.pool).tokens)
    for field, items in (("weights", terms.weights), ("cash", state.cash), ("managed", state.managed)):
        if len(items) != count:
            raise MalformedPoolError(pool.id, field, f"{len(items)} for {count} tokens")
    if sum(terms.weights) != ONE or min(terms.weights) <= 0:
        raise MalformedPoolError(pool.id, "weights", f"they are {sum(terms.weights)} in sum, not 1e18, or one is 0")
    for token, cash, managed in zip(pool.tokens, state.cash, state.managed, strict=True):
        if min(cash, managed) < 0 or cash + managed >= BALANCE_END:
            raise MalformedPoolError(pool.id, "balances", f"{cash} and {managed} of {token} do not fit 112 bits")
    if not 0 <= state.swap_fee < ONE:
        raise MalformedPoolError(pool.id, "swap_fee", f"{state.swap_fee} of 1e18 leaves nothing")
    return state
