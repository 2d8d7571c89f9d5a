"""A StableSwap pool's document, and what stands for the fields that a person leaves out of it.

The pool's tokens begin with its coins. Rates follow from decimals; one that is told and does not follow from them is
the pool's own. A pool whose rates all follow, without a base pool, underlying coins or a fee off the peg, is told by
its logs; any other was read after the block of its file. Roundings are those of most pools of its kind: nothing in a
document shows them, and only the contract's source or its answers do.

A base pool's document has its pool in it, of which id and tokens are enough.
"""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import (
    PROTOCOL,
    CurveStableswapState,
    RateSource,
    checked_state,
)
from headrace.adapters.protocols.curve_stableswap.ways import tokens_of
from headrace.adapters.protocols.documents import from_document
from headrace.errors import MalformedPoolError
from headrace.kernels.stableswap import ProductRounding
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool

Document = Mapping[str, JsonValue]
_RATE_DIGITS = 36  # of common units, and of the rate itself
_DIGITS_MAX = 78  # of 2^256; what is no such number is named by its own field


def read(pool: Pool, document: Document, at: BlockContext | None) -> CurveStableswapState:
    """The state that such a document describes, after the block `at`.

    Raises:
        MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
    """
    state = from_document(CurveStableswapState, pool, _completed(document, pool.tokens, pool.venue))
    checked_state(state)
    if state.base is not None:
        _check_base(state, state.base)
    if pool.tokens != tokens_of(state.terms, None if state.base is None else state.base.terms):
        raise MalformedPoolError(pool.id, "tokens", "they are not the coins, and after them what lies behind the coins")
    is_moving = at is not None and state.ramp.initial_a != state.ramp.future_a and at.timestamp < state.ramp.future_time
    if at is None or "read_at" in document or (state.terms.follows_logs and not is_moving):
        return state
    return msgspec.structs.replace(state, read_at=at.number, read_time=at.timestamp)


def _check_base(state: CurveStableswapState, base: CurveStableswapState) -> None:
    name = state.pool.id
    if base.base is not None:
        raise MalformedPoolError(name, "base.base", "a base pool that stands on another is not supported")
    try:
        checked_state(base)
    except MalformedPoolError as error:
        raise MalformedPoolError(name, f"base.{error.field}", error.why) from error
    if base.supply <= 0:
        raise MalformedPoolError(name, "base.supply", "it is missing: the price of the base pool's token needs it")


def _completed(document: Document, tokens: Sequence[JsonValue], venue: str) -> dict[str, JsonValue]:
    full = dict(document)
    base = full.get("base")
    if isinstance(base, dict):
        full["base"] = _completed_base(base, venue)
    count = _length(full.get("balances"))
    standing = str(full.get("future_a"))
    sources = _sources(full, count)
    is_plain = set(sources) == {RateSource.STATIC.value} and not full.get("underlying")
    has_own_rates, is_early = RateSource.POOL.value in sources, str(full.get("a_precision")) == "1"
    usual: dict[str, JsonValue] = {
        "coins": list(tokens[:count]),
        "underlying": [],
        "a_precision": "100",
        "rounding": str((ProductRounding.AT_THE_END if has_own_rates else ProductRounding.PER_COIN).value),
        "held_back": "1",
        "withdrawal_held_back": "1",
        "view": {"held_back": "1", "scales_first": is_early},
        "rate_sources": list(sources),
        "rates": [
            _static_rate(decimals) if source in _BY_DECIMALS else "0"
            for decimals, source in zip(_list(full.get("decimals")), sources, strict=False)
        ],
        "follows_logs": is_plain and "offpeg_multiplier" not in full,
        "has_fee_in_estimate": has_own_rates and "offpeg_multiplier" in full,
        "admin_fee": "0",
        "initial_a": standing if standing.isdecimal() and len(standing) <= _DIGITS_MAX else "1",
        "initial_time": "0",
        "future_time": "0",
    }
    return usual | full


_BY_DECIMALS = (RateSource.STATIC.value, RateSource.POOL.value)


def _sources(full: Document, count: int) -> list[str]:
    """As told; else `static` where the rate is that of the decimals or left out, `pool` where it is another."""
    told = full.get("rate_sources")
    if told is not None:
        return [str(one) for one in _list(told)]
    places, decimals, rates = range(count), _list(full.get("decimals")), _list(full.get("rates"))
    usual = [_static_rate(decimals[k]) if k < len(decimals) else "" for k in places]
    found = [
        RateSource.STATIC.value if k >= len(rates) or str(rates[k]) == usual[k] else RateSource.POOL.value
        for k in places
    ]
    return [*found[:-1], RateSource.BASE_POOL.value] if full.get("base") is not None else found


def _completed_base(base: Document, venue: str) -> dict[str, JsonValue]:
    pool = base.get("pool")
    if not isinstance(pool, dict):
        return dict(base)
    usual: dict[str, JsonValue] = {"address": pool.get("id"), "protocol": PROTOCOL, "venue": venue}
    return _completed(base, _list(pool.get("tokens")), venue) | {"pool": usual | pool}


def _static_rate(decimals: JsonValue) -> str:
    digits = int(str(decimals)) if str(decimals).isdecimal() else _RATE_DIGITS
    return str(10 ** max(0, _RATE_DIGITS - digits))


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def _length(value: JsonValue) -> int:
    return len(_list(value))
