"""What a CryptoSwap pool stores, as far as a swap depends on it."""

import math

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.cryptoswap import FEE_ONE, INVARIANT_MIN, Backing, CryptoSwapPool, Fees, Generation, invariant_of
from headrace.kernels.cryptoswap_newton import ONE
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("curve_cryptoswap")
_ANN_FACTORS = frozenset({1, 100})
_ANN_MAX = {  # A n^n with four decimals, as each generation's contracts bound it
    Generation.TRIPLE: 27 * 10**7,
    Generation.TRIPLE_NG: 27 * 10**7,
    Generation.PAIR: 4 * 10**9,
    Generation.PAIR_GROUPED: 4 * 10**9,
    Generation.PAIR_NG: 4 * 10**7,
    Generation.PAIR_NG_WIDE: 4 * 10**7,
}
_GAMMA_MIN, _GAMMA_MAX = 10**10, 199 * 10**15
_AMOUNT_END = 1 << 128
_MANY_UNITS = 4 * 10**6
_ROUNDINGS = 10**9  # the part of D that they may make: the contract stops its iteration at 10^-14
_PRECISIONS = frozenset(10**digits for digits in range(19))


class Terms(msgspec.Struct, frozen=True):
    """What never changes about a pool, beside its tokens.

    Attributes:
        generation: which arithmetic the contract has.
        precisions: factor from raw units to 18 decimals, parallel to the pool's tokens.
        shares: the token whose supply stands for the pool.
        ann_factor: from the stored A to four decimals; 100 for the pools of 2021 that store two.
        has_curved_fee: whether the fee's steepness is itself weighed by balance, as in pools since 2025.
    """

    generation: Generation
    precisions: tuple[int, ...]
    shares: Address
    ann_factor: int = 1
    has_curved_fee: bool = False

    @property
    def is_told_by_logs(self) -> bool:
        """Whether nothing that a swap depends on changes without a log, but for A and gamma while they ramp.

        The others can take in tokens that were sent to them, and find D anew, when anybody claims the admin's fees,
        without a log where there are none; the first generation is also killed in silence.
        """
        return self.generation is Generation.PAIR_NG and not self.has_curved_fee


class Ramp(msgspec.Struct, frozen=True):
    """A and gamma as stored (A n^n in the contract's own decimals), moving linearly between two Unix seconds."""

    initial_ann: int
    initial_gamma: int
    initial_time: int
    future_ann: int
    future_gamma: int
    future_time: int

    def at(self, timestamp: int) -> tuple[int, int]:
        """A and gamma in a block, rounded down."""
        whole = self.future_time - self.initial_time
        if timestamp >= self.future_time or whole <= 0:
            return self.future_ann, self.future_gamma
        done = max(0, timestamp - self.initial_time)
        left = whole - done
        return (
            (self.initial_ann * left + self.future_ann * done) // whole,
            (self.initial_gamma * left + self.future_gamma * done) // whole,
        )


class CryptoSwapState(msgspec.Struct, frozen=True):
    """Balances in raw units, parallel to the pool's tokens.

    Attributes:
        prices: price scale of each coin but the first, 18 decimals.
        invariant: D as stored, 18 decimals.
        mid_fee: 10^-10, like `out_fee`.
        fee_gamma: 18-decimal fraction.
        supply: shares, 18 decimals; `virtual_price` is the stored one.
        stale_from: first block at whose end the state may be another without our knowing; None where logs tell all.
        ramp_read_at: Unix second of the block it was read at, while A or gamma ramp; else 0.
    """

    pool: Pool
    terms: Terms
    balances: tuple[int, ...]
    prices: tuple[int, ...]
    invariant: int
    ramp: Ramp
    mid_fee: int
    out_fee: int
    fee_gamma: int
    supply: int
    virtual_price: int
    is_killed: bool = False
    stale_from: int | None = None
    ramp_read_at: int = 0

    def in_block(self, timestamp: int) -> CryptoSwapPool:
        """The pool as the arithmetic wants it, in a block of that Unix second."""
        ann, gamma = self.ramp.at(timestamp)
        is_next, ramps_until = self.terms.generation.is_next, self.ramp.future_time
        is_tested = ramps_until < timestamp if is_next else ramps_until == 0
        has_backing = is_tested and self.virtual_price > 0 and not self.terms.has_curved_fee
        return CryptoSwapPool(
            generation=self.terms.generation,
            balances=self.balances,
            scales=tuple(a * b for a, b in zip(self.terms.precisions, (ONE, *self.prices), strict=True)),
            prices=self.prices,
            ann=ann * self.terms.ann_factor,
            gamma=gamma,
            invariant=self.invariant,
            fees=Fees(self.mid_fee, self.out_fee, self.fee_gamma, self.terms.has_curved_fee),
            is_ramping=ramps_until > (timestamp if is_next else 0),
            backing=Backing(self.supply, self.virtual_price) if has_backing else None,
        )

    def invariant_at(self, timestamp: int) -> int:
        """D that a swap in that block starts from.

        Raises:
            RevertError: the contract would revert.
            ZeroDivisionError: the same.
        """
        pool = self.in_block(timestamp)
        return invariant_of(pool, pool.balances) if pool.is_ramping else pool.invariant


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be a CryptoSwap pool's.

    Raises:
        MalformedPoolError: not two or three tokens, or one of them twice.
    """
    if len(pool.tokens) not in (2, 3):
        raise MalformedPoolError(pool.id, "tokens", f"two or three coins, not {len(pool.tokens)}")
    if len(set(pool.tokens)) != len(pool.tokens):
        raise MalformedPoolError(pool.id, "tokens", "a token is listed twice")
    return pool


def checked_state(state: CryptoSwapState) -> CryptoSwapState:
    """The state itself, if a pool could store it.

    Raises:
        MalformedPoolError: lists of other lengths, a price of nothing, A, gamma or a fee out of range, amounts over
            128 bits, D that is not of these balances.
    """
    pool, terms = checked_pool(state.pool), state.terms
    count = len(pool.tokens)
    for field, items, wanted in (
        ("balances", state.balances, count),
        ("prices", state.prices, count - 1),
        ("precisions", terms.precisions, count),
    ):
        if len(items) != wanted:
            raise MalformedPoolError(pool.id, field, f"{len(items)} for {count} tokens")
    if terms.generation.coins != count:
        why = f"{terms.generation.value} is of {terms.generation.coins} tokens, not {count}"
        raise MalformedPoolError(pool.id, "generation", why)
    if not _PRECISIONS.issuperset(terms.precisions):
        raise MalformedPoolError(pool.id, "precisions", "they are no powers of ten up to 18 digits")
    if terms.ann_factor not in _ANN_FACTORS:
        raise MalformedPoolError(
            pool.id, "ann_factor", f"A is stored with two decimals or four, not {terms.ann_factor}"
        )
    amounts = (("balances", state.balances), ("invariant", (state.invariant,)), ("prices", state.prices))
    for field, items in amounts:
        if max(items) >= _AMOUNT_END or min(items) < 0:
            raise MalformedPoolError(pool.id, field, "it does not fit 128 bits")
    if min(state.prices) == 0:
        raise MalformedPoolError(pool.id, "prices", "a price is 0")
    _check_fees(state)
    _check_ramp(state)
    _check_invariant(state)
    return state


def _check_invariant(state: CryptoSwapState) -> None:
    """Refuse D that no pool with these balances can store, whatever A, gamma and history.

    Where it solves its equation, n times the geometric mean of the balances <= D <= their sum, for any A and gamma.
    Since the last swap it may only have shrunk with withdrawals in equal parts, each of which leaves up to one raw unit
    of each token, and one share's worth, too much behind. So the lower bound is held with a factor of two, and only
    where each balance has millions of units and the supply, if it is told, millions of shares: millions of withdrawals
    in a row could break it. The upper bound is held where D is one that the contract swaps at.
    """
    common = [
        balance * precision * price // ONE
        for balance, precision, price in zip(state.balances, state.terms.precisions, (ONE, *state.prices), strict=True)
    ]
    least = math.prod(common) * len(common) ** len(common)
    has_many = min(*state.balances, state.supply or _MANY_UNITS) >= _MANY_UNITS
    if has_many and (2 * state.invariant) ** len(common) < least:
        raise MalformedPoolError(state.pool.id, "invariant", f"{state.invariant} is less than its balances make")
    if state.invariant >= INVARIANT_MIN and state.invariant > sum(common) * (1 + _ROUNDINGS) // _ROUNDINGS:
        raise MalformedPoolError(state.pool.id, "invariant", f"{state.invariant} is more than its balances add up to")


def _check_fees(state: CryptoSwapState) -> None:
    for field, fee in (("mid_fee", state.mid_fee), ("out_fee", state.out_fee)):
        if not 0 <= fee <= FEE_ONE:
            raise MalformedPoolError(state.pool.id, field, f"{fee} is not from 0 to 10^10, which is all there is")
    if state.fee_gamma > ONE:
        raise MalformedPoolError(state.pool.id, "fee_gamma", f"{state.fee_gamma} is above 1")


def _check_ramp(state: CryptoSwapState) -> None:
    ramp = state.ramp
    most = _ANN_MAX[state.terms.generation] // state.terms.ann_factor
    for field, ann in (("future_ann", ramp.future_ann), ("initial_ann", ramp.initial_ann)):
        if not 0 < ann <= most:
            raise MalformedPoolError(state.pool.id, field, f"{ann} is not from 1 to {most}")
    for field, gamma in (("future_gamma", ramp.future_gamma), ("initial_gamma", ramp.initial_gamma)):
        if not _GAMMA_MIN <= gamma <= _GAMMA_MAX:
            raise MalformedPoolError(state.pool.id, field, f"{gamma} is not from {_GAMMA_MIN} to {_GAMMA_MAX}")
