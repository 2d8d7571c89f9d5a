"""Which call of a pool swaps one token for another, and with which indices.

`exchange` takes the pool's coins; `exchange_underlying` of a lending pool what its coins stand for, of a metapool its
own coins and the base pool's coins behind them. No call swaps a coin for its own underlying, or a base pool's token for
one of that pool's coins.
"""

from typing import NamedTuple

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource, StableTerms
from headrace.errors import UnansweredError
from headrace.model.address import Address
from headrace.model.executor_step import CurveCall

COMPUTED_BASES = (RateSource.STATIC, RateSource.POOL)


class Way(NamedTuple):
    """A call and its indices."""

    call: CurveCall
    index_in: int
    index_out: int


def way_between(state: CurveStableswapState, token_in: Address, token_out: Address) -> Way:
    """The call that swaps `token_in` for `token_out`.

    Raises:
        UnquotableError: none does, or what it pays cannot be told.
    """
    coins = state.terms.coins
    if token_in == token_out:
        raise UnansweredError(state.pool.id, "a coin is not swapped for itself")
    if token_in in coins and token_out in coins:
        return Way(CurveCall.EXCHANGE_INT128, coins.index(token_in), coins.index(token_out))
    reached = reached_underlying(state)
    if token_in in reached and token_out in reached:
        if state.base is not None:
            _refuse_base(state.base)
        return Way(CurveCall.EXCHANGE_UNDERLYING, reached.index(token_in), reached.index(token_out))
    raise UnansweredError(state.pool.id, f"no call of the pool swaps {token_in} for {token_out}")


def resolved(state: CurveStableswapState, way: Way) -> tuple[CurveStableswapState, Way]:
    """The pool that does the swap: between two coins of a base pool that one does, in a way of its own."""
    last = len(state.terms.coins) - 1
    if state.base is None or way.call is not CurveCall.EXCHANGE_UNDERLYING or min(way.index_in, way.index_out) < last:
        return state, way
    return state.base, Way(CurveCall.EXCHANGE_INT128, way.index_in - last, way.index_out - last)


def reached_underlying(state: CurveStableswapState) -> tuple[Address, ...]:
    """What the indices of `exchange_underlying` count; empty where there is no such call."""
    if state.base is None:
        return state.terms.underlying
    return underlying_of(state.terms, state.base.terms)


def underlying_of(terms: StableTerms, base: StableTerms) -> tuple[Address, ...]:
    """A metapool's coins, its base pool's token replaced by that pool's coins."""
    return terms.coins[:-1] + base.coins


def tokens_of(terms: StableTerms, base: StableTerms | None) -> tuple[Address, ...]:
    """All tokens that a pool swaps, its coins first, each once."""
    behind = terms.underlying if base is None else base.coins
    return tuple(dict.fromkeys(terms.coins + behind))


def _refuse_base(base: CurveStableswapState) -> None:
    """A deposit that mints through a lender, or whose fee off the peg counts raw units (Aave's), cannot be told."""
    sources = base.terms.rate_sources
    is_aave = base.offpeg_multiplier > 0 and RateSource.POOL not in sources
    if is_aave or not set(sources) <= set(COMPUTED_BASES):
        raise UnansweredError(base.pool.id, "what a deposit into this base pool mints cannot be told")
