"""What a StableSwap state tells of decimals: of its coins; of the underlying one where a coin stands for it."""

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource
from headrace.ports.pool import ToldDecimals

_OF_THE_UNDERLYING = frozenset({RateSource.COMPOUND, RateSource.YEARN})


def told_decimals(state: CurveStableswapState, at: str = "") -> tuple[ToldDecimals, ...]:
    """Of a lending coin's own decimals nothing is told; a metapool also tells its base pool's coins."""
    terms = state.terms
    behind = terms.underlying or terms.coins
    told = tuple(
        ToldDecimals(token, f"{at}decimals[{k}]", decimals)
        for k, (token, decimals) in enumerate(zip(behind, terms.decimals, strict=True))
        if terms.underlying or terms.rate_sources[k] not in _OF_THE_UNDERLYING
    )
    return told if state.base is None else told + told_decimals(state.base, f"{at}base.")
