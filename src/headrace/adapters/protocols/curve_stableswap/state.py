"""What a StableSwap pool is (`StableTerms`, told once) and what it holds (`CurveStableswapState`).

All kinds of pools are one state with parameters: a plain pool has static rates, a lending pool rates that its tokens
tell, a metapool a base pool inside its state, an NG pool the rates that it tells itself.
"""

from enum import StrEnum

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION, ProductRounding, StableCurve, StableFee
from headrace.kernels.stableswap_liquidity import LiquidityPool, token_price
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("curve_stableswap")
NATIVE = Address("0x" + "ee" * 20)  # how Curve's pools write ether
CACHE_SECONDS = 600  # for how long metapools before the factory believe a base pool's price
COINS_MIN, COINS_MAX = 2, 8
AMPLIFICATION_END = 10**6  # the contracts ramp to less, before precision
BALANCE_END = 1 << 128
RATE_END = 1 << 128


class RateSource(StrEnum):
    """Where a coin's rate comes from."""

    STATIC = "static"  # its decimals
    POOL = "pool"  # the pool's `stored_rates`
    COMPOUND = "compound"  # the coin's exchange rate; a swap accrues its interest first
    YEARN = "yearn"  # the coin's price per full share
    BASE_POOL = "base_pool"  # the price of the base pool's token
    REDEMPTION = "redemption"  # RAI's redemption price


class ViewForm(msgspec.Struct, frozen=True):
    """How the pool's own `get_dy` rounds, which may differ from how `exchange` pays."""

    held_back: int
    scales_first: bool  # brings the output to its decimals before it takes the fee


class StableTerms(msgspec.Struct, frozen=True):
    """What never changes about a pool.

    Attributes:
        coins: that `exchange` swaps; in a metapool the last one is the base pool's token.
        underlying: of a lending pool, parallel to `coins`; empty where `exchange_underlying` is absent or pays what
            cannot be told.
        decimals: of `coins`, or of the underlying coin where there is one.
        a_precision: 100, or 1 in the oldest pools.
        held_back: common units that `exchange` keeps against roundings; `withdrawal_held_back` the same of
            `remove_liquidity_one_coin`.
        view: the roundings of `get_dy`.
        rate_sources: parallel to `coins`.
        follows_logs: whether its logs tell all of its state; otherwise it is read again at each block.
        has_fee_in_estimate: whether `calc_token_amount` takes the fee (NG) or not.
    """

    coins: tuple[Address, ...]
    underlying: tuple[Address, ...]
    decimals: tuple[int, ...]
    a_precision: int
    rounding: ProductRounding
    held_back: int
    withdrawal_held_back: int
    view: ViewForm
    rate_sources: tuple[RateSource, ...]
    follows_logs: bool
    has_fee_in_estimate: bool = False


class Ramp(msgspec.Struct, frozen=True):
    """The contract's A, times its precision, moving from one value to another between two times."""

    initial_a: int
    future_a: int
    initial_time: int
    future_time: int

    def at(self, timestamp: int) -> int:
        """A at a time; how far it has moved is rounded down."""
        if timestamp >= self.future_time:
            return self.future_a
        part, whole = max(0, timestamp - self.initial_time), self.future_time - self.initial_time
        if self.future_a > self.initial_a:
            return self.initial_a + (self.future_a - self.initial_a) * part // whole
        return self.initial_a - (self.initial_a - self.future_a) * part // whole


class CompoundRate(msgspec.Struct, frozen=True):
    """What a Compound-type token stores of its interest; rates and shares times 1e18."""

    stored: int
    supply_rate: int
    borrow_rate: int
    accrual_block: int
    cash: int
    borrows: int
    reserves: int
    reserve_share: int
    supply: int

    def seen(self, block_number: int) -> int:
        """The exchange rate as Curve's views extrapolate it."""
        blocks = max(0, block_number - self.accrual_block)
        return self.stored + self.stored * self.supply_rate * blocks // PRECISION

    def accrued(self, block_number: int) -> int:
        """The exchange rate once the token has accrued its interest in a block, as swaps make it do."""
        blocks = max(0, block_number - self.accrual_block)
        if not blocks or not self.supply:
            return self.stored
        interest = self.borrow_rate * blocks * self.borrows // PRECISION
        reserves = self.reserves + self.reserve_share * interest // PRECISION
        return (self.cash + self.borrows + interest - reserves) * PRECISION // self.supply


class CachedPrice(msgspec.Struct, frozen=True):
    """A base pool's price as its metapool remembers it."""

    price: int
    updated_at: int


class CurveStableswapState(msgspec.Struct, frozen=True):
    """A pool's balances and parameters.

    Attributes:
        balances: raw units, parallel to the terms' coins, as `balances` answers.
        rates: common units per raw unit times 1e18; of a base pool's token and of Compound-type coins 0, because they
            are computed for the block of the quote.
        fee: of 1e10, like `admin_fee` and `offpeg_multiplier` (0: the fee is fixed).
        ramp: of A.
        supply: of the pool's own token where another pool stands on it, else 0.
        read_at: the block it was read at, None where logs tell everything; `read_time` is that block's timestamp.
        is_doubtful: whether a log said that something changed that it does not tell: to be read again.
        cached: the base pool's price that the contract remembers; None where it asks each time.
        compound: parallel to the coins; None for a coin of another kind. Empty where there is none at all.
        base: the base pool of a metapool.
    """

    pool: Pool
    terms: StableTerms
    balances: tuple[int, ...]
    rates: tuple[int, ...]
    fee: int
    admin_fee: int
    ramp: Ramp
    offpeg_multiplier: int = 0
    supply: int = 0
    read_at: int | None = None
    read_time: int = 0
    is_doubtful: bool = False
    cached: CachedPrice | None = None
    compound: tuple[CompoundRate | None, ...] = ()
    base: "CurveStableswapState | None" = None

    @property
    def stable_fee(self) -> StableFee:
        """For the kernels."""
        return StableFee(self.fee, self.offpeg_multiplier)

    def curve(self, timestamp: int) -> StableCurve:
        """The invariant's parameters at a time."""
        return StableCurve(self.ramp.at(timestamp), self.terms.a_precision, self.terms.rounding)

    def liquidity(self, rates: tuple[int, ...], timestamp: int) -> LiquidityPool:
        """For deposits and withdrawals at a time."""
        return LiquidityPool(self.curve(timestamp), self.balances, rates, self.stable_fee, self.supply)


def rates_at(
    state: CurveStableswapState, block_number: int, timestamp: int, *, is_view: bool = False
) -> tuple[int, ...]:
    """Rates in a block: of swaps, or as the contract's views see them.

    Raises:
        ArithmeticError: the base pool's price cannot be computed, as in the contract.
    """
    rates = list(state.rates)
    for k, source in enumerate(state.terms.rate_sources):
        compound = state.compound[k] if source is RateSource.COMPOUND else None
        if compound is not None:
            rate = compound.seen(block_number) if is_view else compound.accrued(block_number)
            rates[k] = rate * 10 ** (18 - state.terms.decimals[k])
        elif source is RateSource.BASE_POOL:
            rates[k] = base_price(state, block_number, timestamp)
    return tuple(rates)


def base_price(state: CurveStableswapState, block_number: int, timestamp: int) -> int:
    """The price of the base pool's token that the contract uses in a block: remembered for ten minutes, or asked.

    Raises:
        ArithmeticError: it cannot be computed, as in the contract.
    """
    cached, base = state.cached, state.base
    if cached is not None and timestamp <= cached.updated_at + CACHE_SECONDS:
        return cached.price
    assert base is not None, state.pool.id
    rates = rates_at(base, block_number, timestamp, is_view=True)
    return token_price(base.liquidity(rates, timestamp))


def checked_state(state: CurveStableswapState) -> CurveStableswapState:
    """The state itself, if a StableSwap pool could hold it.

    Raises:
        MalformedPoolError: lists of other lengths, A, a fee, a balance or a rate out of range, a ramp that runs
            backwards, a metapool without its base pool.
    """
    terms, name = checked_terms(state.terms, state.pool), state.pool.id
    for field, items in (("balances", state.balances), ("rates", state.rates)):
        if len(items) != len(terms.coins):
            raise MalformedPoolError(name, field, f"{len(items)} for {len(terms.coins)} coins")
    if state.compound and len(state.compound) != len(terms.coins):
        raise MalformedPoolError(name, "compound", f"{len(state.compound)} for {len(terms.coins)} coins")
    _check_range(name, "balances", state.balances, BALANCE_END)
    _check_range(name, "rates", state.rates, RATE_END)
    _check_range(name, "fee", (state.fee,), FEE_DENOMINATOR)
    _check_range(name, "admin_fee", (state.admin_fee,), FEE_DENOMINATOR + 1)
    _check_range(name, "offpeg_multiplier", (state.offpeg_multiplier,), FEE_DENOMINATOR**2)
    if state.fee * max(state.offpeg_multiplier, FEE_DENOMINATOR) >= FEE_DENOMINATOR**2:
        raise MalformedPoolError(name, "offpeg_multiplier", "the fee off the peg takes everything")
    _check_ramp(name, state.ramp, terms.a_precision)
    _check_sources(state)
    return state


def checked_terms(terms: StableTerms, pool: Pool) -> StableTerms:
    """The terms themselves, if a StableSwap pool could have them.

    Raises:
        MalformedPoolError: too few or too many coins, one twice, decimals over 18, a precision of neither kind.
    """
    count = len(terms.coins)
    if not COINS_MIN <= count <= COINS_MAX:
        why = f"a pool has {COINS_MIN} to {COINS_MAX} of them, as many as balances, not {count}"
        raise MalformedPoolError(pool.id, "coins", why)
    for field, coins in (("coins", terms.coins), ("underlying", terms.underlying)):
        if len(set(coins)) != len(coins):
            raise MalformedPoolError(pool.id, field, "one is listed twice")
    lists = (("decimals", terms.decimals), ("rate_sources", terms.rate_sources), ("underlying", terms.underlying))
    for field, items in lists:
        if len(items) != count and (items or field != "underlying"):
            raise MalformedPoolError(pool.id, field, f"{len(items)} for {count} coins")
    _check_range(pool.id, "decimals", terms.decimals, 19)
    if terms.a_precision not in (1, 100):
        raise MalformedPoolError(pool.id, "a_precision", f"{terms.a_precision} is neither 1 nor 100")
    return terms


def _check_range(pool: str, field: str, values: tuple[int, ...], end: int) -> None:
    for index, value in enumerate(values):
        if not 0 <= value < end:
            place = field if len(values) == 1 else f"{field}[{index}]"
            raise MalformedPoolError(pool, place, f"{value} is not from 0 to {end - 1}")


def _check_ramp(pool: str, ramp: Ramp, precision: int) -> None:
    for field, value in (("future_a", ramp.future_a), ("initial_a", ramp.initial_a)):
        if not 0 < value < AMPLIFICATION_END * precision:
            raise MalformedPoolError(pool, field, f"{value} is not from 1 to {AMPLIFICATION_END * precision - 1}")
    if ramp.initial_a != ramp.future_a and ramp.initial_time >= ramp.future_time > 0:
        raise MalformedPoolError(pool, "future_time", f"{ramp.future_time}: the ramp ends before it begins")


def _check_sources(state: CurveStableswapState) -> None:
    name, sources = state.pool.id, state.terms.rate_sources
    if (RateSource.BASE_POOL in sources) != (state.base is not None):
        raise MalformedPoolError(name, "base", "a coin whose rate source is `base_pool` has one, and no other pool has")
    for k, source in enumerate(sources):
        is_computed = source in (RateSource.BASE_POOL, RateSource.COMPOUND)
        if not is_computed and state.rates[k] == 0:
            raise MalformedPoolError(name, f"rates[{k}]", "it is 0")
        if source is RateSource.COMPOUND and (not state.compound or state.compound[k] is None):
            raise MalformedPoolError(name, f"compound[{k}]", "it is missing: the coin's rate source is `compound`")
