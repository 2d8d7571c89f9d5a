"""What vault and pool store: balances, fees and rates in the vault, the curve in the pool."""

from collections.abc import Sequence

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.balancer_v3 import BALANCE_END
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.ramp import Ramp
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("balancer_v3")
FEE_UNIT = 10**11  # the vault keeps fees in steps of this fraction of 1e18
AMPLIFICATION_END = 50_000 * AMP_PRECISION + 1
_TOKENS = range(2, 9)
_STABLE_TOKENS_MAX = 5
_SCALINGS = frozenset(10**digits for digits in range(19))


class WeightedTerms(msgspec.Struct, frozen=True, tag="weighted"):
    """A weighted pool's curve: 18-decimal fractions of 1e18 in sum; least scaled balances, None in older pools."""

    weights: tuple[int, ...]
    minima: tuple[int, ...] | None = None


class StableTerms(msgspec.Struct, frozen=True, tag="stable"):
    """A stable pool's curve."""

    amplification: Ramp


class VaultTerms(msgspec.Struct, frozen=True):
    """What never changes about a pool in its vault.

    Attributes:
        scalings: powers of ten, 10^(18 - decimals), parallel to the pool's tokens.
        has_rates: whether a token's rate comes from a provider.
        trade_min: least scaled amount of a swap.
        pause_ends_at: last Unix second in which a pause of the pool can hold; `vault_pause_ends_at` is the vault's.
    """

    scalings: tuple[int, ...]
    has_rates: bool
    trade_min: int
    pause_ends_at: int
    vault_pause_ends_at: int


class BalancerV3State(msgspec.Struct, frozen=True):
    """Balances in raw units and rates with 18 decimals, parallel to the pool's tokens.

    Attributes:
        balances: after the fees on yield that the vault takes before the next operation.
        swap_fee: 18-decimal fraction of the input; `aggregate_fee` is the fraction of that which leaves the pool.
        is_recovering: recovery mode, in which nothing leaves.
        read_number: the block after which rates were read; None where no token has one, so that logs tell everything.
        must_be_read: whether something happened to a pool with rates, whose yield fees no log tells.
    """

    pool: Pool
    terms: VaultTerms
    curve: WeightedTerms | StableTerms
    balances: tuple[int, ...]
    rates: tuple[int, ...]
    swap_fee: int
    aggregate_fee: int
    is_initialized: bool
    is_paused: bool
    is_vault_paused: bool
    is_recovering: bool
    read_number: int | None = None
    must_be_read: bool = False

    def is_outdated(self, block_number: int) -> bool:
        """Whether rates may have changed by the end of that block."""
        return self.must_be_read or (self.read_number is not None and block_number > self.read_number)


def pool_contract(pool: Pool) -> Address:
    """The pool's own contract, which is its pool token too; its id is that address."""
    return Address(pool.id)


def checked_state(state: BalancerV3State) -> BalancerV3State:
    """The state itself, if vault and pool could store it.

    Raises:
        MalformedPoolError: too few or too many tokens, one of them twice, lists of different lengths, weights that are
            not 1e18 in sum, amplification out of range, a rate of zero, a balance over 128 bits, a fee of all there is.
    """
    pool, curve, count = state.pool, state.curve, len(state.pool.tokens)
    most = _STABLE_TOKENS_MAX + 1 if isinstance(curve, StableTerms) else _TOKENS.stop
    if count not in range(_TOKENS.start, most) or len(set(pool.tokens)) != count:
        raise MalformedPoolError(pool.id, "tokens", f"{count} are too few or too many, or one is listed twice")
    lists: dict[str, Sequence[int]] = {
        "scalings": state.terms.scalings,
        "balances": state.balances,
        "rates": state.rates,
    }
    if isinstance(curve, WeightedTerms):
        lists |= {"curve.weights": curve.weights, "curve.minima": curve.minima or curve.weights}
    for field, items in lists.items():
        if len(items) != count:
            raise MalformedPoolError(pool.id, field, f"{len(items)} for {count} tokens")
    _check_numbers(state)
    _check_each_token(state)
    return state


def _check_numbers(state: BalancerV3State) -> None:
    pool, curve = state.pool, state.curve
    if isinstance(curve, WeightedTerms):
        if sum(curve.weights) != ONE or min(curve.weights) <= 0:
            raise MalformedPoolError(
                pool.id, "curve.weights", f"they are {sum(curve.weights)} in sum, not 1e18, or one is 0"
            )
    elif flaw := curve.amplification.flaw(1, AMPLIFICATION_END):
        raise MalformedPoolError(pool.id, f"curve.{flaw[0]}", flaw[1])
    if state.terms.has_rates and state.read_number is None:
        raise MalformedPoolError(pool.id, "read_number", "a pool with rates says after which block they were read")
    for field, fee in (("swap_fee", state.swap_fee), ("aggregate_fee", state.aggregate_fee)):
        if not 0 <= fee <= ONE or (field == "swap_fee" and fee == ONE):
            raise MalformedPoolError(pool.id, field, f"{fee} of 1e18 is too much")


def _check_each_token(state: BalancerV3State) -> None:
    pool = state.pool
    for index, (rate, scaling) in enumerate(zip(state.rates, state.terms.scalings, strict=True)):
        if rate <= 0:
            raise MalformedPoolError(pool.id, f"rates[{index}]", f"{rate} is no rate")
        if scaling not in _SCALINGS:
            why = f"{scaling} is not 10^(18 - decimals) of 0 to 18 decimals"
            raise MalformedPoolError(pool.id, f"scalings[{index}]", why)
    for index, balance in enumerate(state.balances):
        if not 0 <= balance < BALANCE_END:
            raise MalformedPoolError(pool.id, f"balances[{index}]", f"{balance} does not fit 128 bits")
