"""How a described pool is read: the calls that tell its state, and their answers as the state.

Kept apart from `detection`, which finds out once which of these calls a pool answers.
"""

from collections.abc import Iterator

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import (
    CachedPrice,
    CompoundRate,
    CurveStableswapState,
    Ramp,
    RateSource,
    StableTerms,
    checked_state,
)
from headrace.adapters.protocols.words import array_at, call_data, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.ports.chain import Call

_RAMP = ("initial_A()", "future_A()", "initial_A_time()", "future_A_time()")
_CACHE = ("base_virtual_price()", "base_cache_updated()")
_COMPOUND = (
    "exchangeRateStored()",
    "supplyRatePerBlock()",
    "borrowRatePerBlock()",
    "accrualBlockNumber()",
    "getCash()",
    "totalBorrows()",
    "totalReserves()",
    "reserveFactorMantissa()",
    "totalSupply()",
)
_REDEMPTION_SCALE = 10**9  # the snapshot has 27 decimals
_DYNAMIC_OFFSET = 32

Answers = Iterator[bytes | None]


class Access(msgspec.Struct, frozen=True):
    """Which calls a pool answers.

    Attributes:
        pool: with its tokens; a base pool's own.
        index: the type of the indices of `coins` and `balances`.
        has_ramp: whether A moves by four getters, or stands in `A` alone.
        has_offpeg: whether the fee grows off the peg.
        has_cache: whether it remembers its base pool's price.
        snapshot: RAI's contract that tells the redemption price.
        token: the pool's own token, where its supply is wanted.
        base: of a metapool.
    """

    pool: Pool
    terms: StableTerms
    index: str
    has_ramp: bool
    has_offpeg: bool
    has_cache: bool = False
    snapshot: Address | None = None
    token: Address | None = None
    base: "Access | None" = None


def questions(access: Access) -> list[Call]:
    """The calls whose answers are the state, in order."""
    pool, terms = access.pool.address, access.terms
    asked = [Call(pool, call_data(f"balances({access.index})", k)) for k in range(len(terms.coins))]
    asked += [_ask(pool, "fee()"), _ask(pool, "admin_fee()")]
    asked += [_ask(pool, name) for name in (_RAMP if access.has_ramp else ("A()",))]
    if access.has_offpeg:
        asked.append(_ask(pool, "offpeg_fee_multiplier()"))
    if RateSource.POOL in terms.rate_sources:
        asked.append(_ask(pool, "stored_rates()"))
    if access.has_cache:
        asked += [_ask(pool, name) for name in _CACHE]
    if access.snapshot is not None:
        asked.append(_ask(access.snapshot, "snappedRedemptionPrice()"))
    if access.token is not None:
        asked.append(_ask(access.token, "totalSupply()"))
    for coin, source in zip(terms.coins, terms.rate_sources, strict=True):
        asked += [_ask(coin, name) for name in _lending_calls(source)]
    return asked + (questions(access.base) if access.base is not None else [])


def answered(access: Access, answers: Answers, header: BlockHeader) -> CurveStableswapState:
    """The state after a block, from the answers to `questions`.

    Raises:
        MalformedPoolError: an answer is missing or of another form, or the state cannot be a StableSwap pool's.
    """
    terms, read = access.terms, _Reader(access.pool.id, answers)
    balances = tuple(read.number(f"balances({k})") for k in range(len(terms.coins)))
    fee, admin_fee, ramp = read.number("fee"), read.number("admin_fee"), _ramp(access, read)
    offpeg = read.number("offpeg_fee_multiplier") if access.has_offpeg else 0
    stored = read.numbers("stored_rates") if RateSource.POOL in terms.rate_sources else ()
    cached = CachedPrice(read.number(_CACHE[0]), read.number(_CACHE[1])) if access.has_cache else None
    redemption = read.number("snappedRedemptionPrice") // _REDEMPTION_SCALE if access.snapshot is not None else 0
    supply = read.number("totalSupply") if access.token is not None else 0
    lent = [_lent(read, source) for source in terms.rate_sources]
    is_moving = ramp.initial_a != ramp.future_a and header.timestamp < ramp.future_time
    is_told = terms.follows_logs and not is_moving
    state = CurveStableswapState(
        pool=access.pool,
        terms=terms,
        balances=balances,
        rates=tuple(_rate(terms, k, stored, redemption, lent[k]) for k in range(len(balances))),
        fee=fee,
        admin_fee=admin_fee,
        ramp=ramp,
        offpeg_multiplier=offpeg,
        supply=supply,
        read_at=None if is_told else header.number,
        read_time=0 if is_told else header.timestamp,
        cached=cached,
        compound=_compound(lent),
        base=answered(access.base, answers, header) if access.base is not None else None,
    )
    return checked_state(state)


class _Reader:
    """Answers in order, as numbers of one pool."""

    def __init__(self, pool: PoolId, answers: Answers) -> None:
        self._pool, self._answers = pool, answers

    def number(self, field: str) -> int:
        answer = next(self._answers)
        if answer is None or len(answer) != _DYNAMIC_OFFSET:
            raise MalformedPoolError(self._pool, field, "the contract does not answer as its kind of pool does")
        return int.from_bytes(answer, "big")

    def numbers(self, field: str) -> tuple[int, ...]:
        found = rates_of(next(self._answers))
        if found is None:
            raise MalformedPoolError(self._pool, field, "the contract does not answer as its kind of pool does")
        return found


def rates_of(answer: bytes | None) -> tuple[int, ...] | None:
    """A list of rates: NG pools answer with its length before it, earlier factory pools without; None for neither."""
    if not answer:
        return None
    try:
        words = words_of_bytes(answer)
        return array_at(words, 0) if words[0] == _DYNAMIC_OFFSET else words
    except ValueError:
        return None


def _ask(contract: Address, signature: str) -> Call:
    return Call(contract, call_data(signature))


def _lending_calls(source: RateSource) -> tuple[str, ...]:
    if source is RateSource.COMPOUND:
        return _COMPOUND
    return ("getPricePerFullShare()",) if source is RateSource.YEARN else ()


def _lent(read: _Reader, source: RateSource) -> CompoundRate | int | None:
    if source is RateSource.COMPOUND:
        return CompoundRate(*(read.number(name) for name in _COMPOUND))
    return read.number("getPricePerFullShare") if source is RateSource.YEARN else None


def _ramp(access: Access, read: _Reader) -> Ramp:
    if access.has_ramp:
        return Ramp(*(read.number(name) for name in _RAMP))
    amplification = read.number("A") * access.terms.a_precision
    return Ramp(amplification, amplification, 0, 0)


def _rate(terms: StableTerms, k: int, stored: tuple[int, ...], redemption: int, lent: CompoundRate | int | None) -> int:
    source, decimals = terms.rate_sources[k], terms.decimals[k]
    if source is RateSource.POOL:
        return stored[k] if k < len(stored) else 0
    if source is RateSource.REDEMPTION:
        return redemption
    if isinstance(lent, int):
        return int(lent) * int(10 ** (18 - decimals))
    return int(10 ** (36 - decimals)) if source is RateSource.STATIC else 0


def _compound(lent: list[CompoundRate | int | None]) -> tuple[CompoundRate | None, ...]:
    found = tuple(one if isinstance(one, CompoundRate) else None for one in lent)
    return found if any(found) else ()
