"""Which pools the recorded answers of mainnet's contracts cover: those of a recorded kind, with its roundings.

Recorded were 3pool (three plain coins) and RAI's metapool on it; `tests/golden` compares them. A kind is where each
coin's rate comes from, coin by coin, and how the contract rounds. What is of no recorded kind stands on sources alone.
"""

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource, ViewForm
from headrace.kernels.stableswap import ProductRounding
from headrace.model.proof import Proof


class Kind(msgspec.Struct, frozen=True):
    """What two pools share that differ in their coins, balances and parameters alone."""

    rate_sources: tuple[RateSource, ...]
    a_precision: int
    view: ViewForm
    rounding: ProductRounding = ProductRounding.PER_COIN
    held_back: int = 1
    has_moving_fee: bool = False
    has_underlying: bool = False
    base: "Kind | None" = None


TRIPOOL = Kind((RateSource.STATIC,) * 3, 1, ViewForm(1, scales_first=True))
RAI = Kind((RateSource.REDEMPTION, RateSource.BASE_POOL), 100, ViewForm(1, scales_first=False), base=TRIPOOL)
RECORDED = frozenset({TRIPOOL, RAI})


def kind_of(state: CurveStableswapState) -> Kind:
    """The kind of a pool, with its base pool's."""
    terms = state.terms
    return Kind(
        rate_sources=terms.rate_sources,
        a_precision=terms.a_precision,
        view=terms.view,
        rounding=terms.rounding,
        held_back=terms.held_back,
        has_moving_fee=state.offpeg_multiplier > 0,
        has_underlying=bool(terms.underlying),
        base=None if state.base is None else kind_of(state.base),
    )


def proof_of(state: CurveStableswapState) -> Proof:
    """Recorded for a recorded kind, else unproven."""
    return Proof.RECORDED if kind_of(state) in RECORDED else Proof.UNPROVEN
