"""What the vault stores of a pool, and what every pool's contract stores beside its curve."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool

BALANCE_END = 1 << 112  # cash and managed together: the vault packs both into one word
UNPAUSED: Mapping[str, JsonValue] = MappingProxyType(  # what a document may leave out
    {"pause_ends_at": "0", "vault_pause_ends_at": "0", "is_paused": False, "is_vault_paused": False}
)
_TOKENS_MIN = 2


class VaultTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What never changes about any pool of the vault.

    Attributes:
        pause_ends_at: last Unix second in which a pause of the pool can hold; `vault_pause_ends_at` is the vault's.
    """

    pause_ends_at: int
    vault_pause_ends_at: int


class VaultState(msgspec.Struct, frozen=True, kw_only=True):
    """Balances in raw units, parallel to the pool's tokens; prices follow from `cash` plus `managed`.

    Attributes:
        cash: in the vault, and all that a swap can pay out.
        managed: lent out by the pool's asset manager.
        swap_fee: 18-decimal fraction.
        is_paused: the pool's own flag; `is_vault_paused` is the vault's.
    """

    pool: Pool
    terms: VaultTerms
    cash: tuple[int, ...]
    managed: tuple[int, ...]
    swap_fee: int
    is_paused: bool
    is_vault_paused: bool

    def balance(self, index: int) -> int:
        """Cash and managed of one token."""
        return self.cash[index] + self.managed[index]


def pool_contract(pool: Pool) -> Address:
    """The pool's own contract, which is its pool token too: the first 20 bytes of its id."""
    return Address(pool.id[:42])


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be a pool's.

    Raises:
        MalformedPoolError: fewer than two tokens, or one of them twice.
    """
    if len(pool.tokens) < _TOKENS_MIN:
        raise MalformedPoolError(pool.id, "tokens", f"a pool has at least two tokens, not {len(pool.tokens)}")
    if len(set(pool.tokens)) != len(pool.tokens):
        raise MalformedPoolError(pool.id, "tokens", "a token is listed twice")
    return pool


def check_holdings(state: VaultState, per_token: Mapping[str, Sequence[object]]) -> None:
    """Refuse what the vault could not store; `per_token` are the pool's own lists, by name, to be of equal length.

    Raises:
        MalformedPoolError: lists of different lengths, a balance over 112 bits, a fee of all there is.
    """
    pool, count = state.pool, len(checked_pool(state.pool).tokens)
    for field, items in {**per_token, "cash": state.cash, "managed": state.managed}.items():
        if len(items) != count:
            raise MalformedPoolError(pool.id, field, f"{len(items)} for {count} tokens")
    for index, (cash, managed) in enumerate(zip(state.cash, state.managed, strict=True)):
        if min(cash, managed) < 0 or cash + managed >= BALANCE_END:
            field = "managed" if managed < 0 else "cash"
            raise MalformedPoolError(
                pool.id, f"{field}[{index}]", f"{cash}, with {managed} managed, is not of 112 bits"
            )
    if not 0 <= state.swap_fee < ONE:
        raise MalformedPoolError(pool.id, "swap_fee", f"{state.swap_fee} of 1e18 leaves nothing")
