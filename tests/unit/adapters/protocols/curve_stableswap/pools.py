"""StableSwap states of each kind, made up."""

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import (
    CachedPrice,
    CompoundRate,
    CurveStableswapState,
    Ramp,
    RateSource,
    StableTerms,
    ViewForm,
    checked_state,
)
from headrace.adapters.protocols.curve_stableswap.ways import tokens_of
from headrace.kernels.stableswap import ProductRounding
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.pool import Pool, ProtocolId

NUMBER, TIME = 20_000_000, 1_750_000_000
AT = BlockContext(NUMBER + 1, TIME, 0, ZERO_ADDRESS)
EARLY, LATE = ViewForm(1, scales_first=True), ViewForm(1, scales_first=False)
BARE = ViewForm(0, scales_first=True)


def token(number: int) -> Address:
    return Address(f"0x{number:040x}")


def state_of(terms: StableTerms, balances: tuple[int, ...], **fields: object) -> CurveStableswapState:
    base = fields.get("base")
    behind = base.terms if isinstance(base, CurveStableswapState) else None
    address = token(0xABC if behind else 0xDEF)
    made: dict[str, object] = {
        "pool": Pool(PoolId(address), address, ProtocolId("curve_stableswap"), "curve", tokens_of(terms, behind)),
        "terms": terms,
        "balances": balances,
        "rates": tuple(10 ** (36 - decimals) for decimals in terms.decimals),
        "fee": 4_000_000,
        "admin_fee": 5_000_000_000,
        "ramp": Ramp(200 * terms.a_precision, 200 * terms.a_precision, 0, 0),
        "read_at": None if terms.follows_logs else NUMBER,
        "read_time": 0 if terms.follows_logs else TIME,
    }
    return checked_state(msgspec.convert(made | fields, CurveStableswapState, from_attributes=True))


def terms_of(*decimals: int, **fields: object) -> StableTerms:
    count = len(decimals)
    made: dict[str, object] = {
        "coins": tuple(token(1 + k) for k in range(count)),
        "underlying": (),
        "decimals": decimals,
        "a_precision": 100,
        "rounding": ProductRounding.PER_COIN,
        "held_back": 1,
        "withdrawal_held_back": 1,
        "view": LATE,
        "rate_sources": (RateSource.STATIC,) * count,
        "follows_logs": True,
    }
    return msgspec.convert(made | fields, StableTerms, from_attributes=True)


def plain() -> CurveStableswapState:
    """Three coins, A without precision, as 3pool."""
    terms = terms_of(18, 6, 6, a_precision=1, view=EARLY)
    return state_of(terms, (27 * 10**24, 31 * 10**12, 99 * 10**12), ramp=Ramp(2000, 2000, 1, 2))


def late() -> CurveStableswapState:
    """Two coins, A with precision, the token beside the pool."""
    return state_of(terms_of(18, 6), (14 * 10**23, 21 * 10**11))


def bare() -> CurveStableswapState:
    """As sUSD's: nothing is held back, A is set at once."""
    terms = terms_of(
        18, 6, a_precision=1, view=BARE, held_back=0, rounding=ProductRounding.PER_COIN_GUARDED, underlying=()
    )
    return state_of(terms, (7 * 10**24, 2 * 10**12), ramp=Ramp(100, 100, 0, 0))


def compound() -> CurveStableswapState:
    """Two lent coins, as Curve's first pool."""
    sources = (RateSource.COMPOUND, RateSource.COMPOUND)
    terms = terms_of(
        18,
        6,
        a_precision=1,
        view=BARE,
        held_back=0,
        rounding=ProductRounding.PER_COIN_GUARDED,
        underlying=(token(11), token(12)),
        rate_sources=sources,
        follows_logs=False,
    )
    lent = tuple(
        CompoundRate(rate, 10**9, 2 * 10**9, NUMBER - 40, 10**k, 9 * 10**k, 10 ** (k - 2), 10**17, supply)
        for rate, k, supply in ((22 * 10**25, 26, 4545 * 10**13), (23 * 10**13, 14, 4347 * 10**13))
    )
    return state_of(terms, (5 * 10**15, 6 * 10**15), rates=(0, 0), compound=lent, ramp=Ramp(450, 450, 0, 0))


def yearn() -> CurveStableswapState:
    """Two vaults' shares; what `exchange_underlying` pays cannot be told."""
    sources = (RateSource.YEARN, RateSource.YEARN)
    form = ViewForm(0, scales_first=False)
    terms = terms_of(18, 6, view=form, rate_sources=sources, follows_logs=False)
    return state_of(terms, (10**24, 10**12), rates=(11 * 10**17, 12 * 10**29))


def aave() -> CurveStableswapState:
    """Two interest-bearing coins, a fee off the peg."""
    terms = terms_of(
        18,
        6,
        view=BARE,
        held_back=0,
        rounding=ProductRounding.PER_COIN_GUARDED,
        underlying=(token(11), token(12)),
        follows_logs=False,
    )
    return state_of(terms, (3 * 10**25, 10**13), offpeg_multiplier=2 * 10**10)


def rated() -> CurveStableswapState:
    """NG: rates of its own, its own token."""
    terms = terms_of(
        18,
        6,
        rounding=ProductRounding.AT_THE_END,
        rate_sources=(RateSource.POOL,) * 2,
        follows_logs=False,
        has_fee_in_estimate=True,
    )
    return state_of(terms, (10**24, 10**12), rates=(117 * 10**16, 10**30), offpeg_multiplier=5 * 10**10)


def meta(base: CurveStableswapState, *, is_cached: bool = True) -> CurveStableswapState:
    """A coin beside the token of `base`."""
    sources = (RateSource.STATIC, RateSource.BASE_POOL)
    terms = terms_of(18, 18, coins=(token(21), token(22)), rate_sources=sources, follows_logs=False)
    under = msgspec.structs.replace(base, supply=sum(base.balances) * 10**6)
    cached = CachedPrice(103 * 10**16, TIME - 100) if is_cached else None
    return state_of(terms, (10**24, 2 * 10**24), rates=(10**18, 0), base=under, cached=cached)
