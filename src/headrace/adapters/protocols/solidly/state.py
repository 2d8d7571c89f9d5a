"""What a pair's next quote depends on: two reserves of its own, and fee and pause, which its factory keeps.

Logs tell the reserves. They do not tell the fee: `setFee` of most factories emits nothing, and what is emitted is the
factory's. So a state says as of which block fee and pause were read, and is outdated after it.
"""

from enum import StrEnum

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.solidly import Root
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("solidly")
DECIMALS_MAX = 36
RESERVE_END = 1 << 256
_TOKENS = 2
_RECORDED_STABLE_SCALES = [10**6, 10**18]


class FeeSource(StrEnum):
    """Where a pair finds its fee; the value is the factory's function."""

    OF_PAIR_18_DECIMALS = "getRealFee(address)"  # Equalizer
    OF_PAIR = "getFee(address,bool)"  # Velodrome v2, Aerodrome
    OF_KIND = "getFee(bool)"  # Velodrome v1, Thena
    IN_CODE = ""  # Solidly: nobody tells it, the configuration does

    @property
    def unit(self) -> int:
        """What the fee is divided by."""
        return _FEE_UNITS[self]


_FEE_UNITS = {
    FeeSource.OF_PAIR_18_DECIMALS: 10**18,
    FeeSource.OF_PAIR: 10**4,
    FeeSource.OF_KIND: 10**4,
    FeeSource.IN_CODE: 10**6,
}


class SolidlyTerms(msgspec.Struct, frozen=True):
    """What never changes about a pair beside its tokens.

    Attributes:
        is_stable: which of the two curves.
        scales: 10^decimals of the tokens.
        root: which solution of the stable curve its code has.
        factory: who keeps fee and pause.
        fee_source: how the fee is asked for.
        fee_in_code: pips, for `FeeSource.IN_CODE` alone.
    """

    is_stable: bool
    scales: tuple[int, int]
    root: Root
    factory: Address
    fee_source: FeeSource
    fee_in_code: int = 0


class SolidlyState(msgspec.Struct, frozen=True):
    """Reserves in raw units, in the order of the pool's tokens; `fee` in parts of its source's unit.

    `read_at` is the block after which fee and pause were read.
    """

    pool: Pool
    terms: SolidlyTerms
    reserve0: int
    reserve1: int
    fee: int
    is_paused: bool
    read_at: int


def has_recorded_terms(terms: SolidlyTerms) -> bool:
    """Whether recorded quotes cover such a pair: Velodrome v2's code, and of stable ones those of 18 and 6 decimals."""
    if terms.fee_source is not FeeSource.OF_PAIR or terms.root is not Root.VELODROME_V2:
        return False
    return not terms.is_stable or sorted(terms.scales) == _RECORDED_STABLE_SCALES


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be a pair's.

    Raises:
        MalformedPoolError: not two tokens in ascending order.
    """
    if len(pool.tokens) != _TOKENS or pool.tokens[0] >= pool.tokens[1] or int(pool.tokens[0], 16) == 0:
        raise MalformedPoolError(pool.id, "tokens", "a pair's tokens are two, in ascending order")
    return pool


def checked_scale(pool: Pool, scale: int) -> int:
    """10^decimals as the pair states it.

    Raises:
        MalformedPoolError: no power of ten, or of more than 36 decimals.
    """
    if scale not in _SCALES:
        raise MalformedPoolError(pool.id, "scales", f"{scale} is no power of ten up to 10^{DECIMALS_MAX}")
    return scale


def checked_state(state: SolidlyState) -> SolidlyState:
    """The state itself, if a pair and its factory could be in it.

    Raises:
        MalformedPoolError: tokens that are no pair's, a scale that is no power of ten, a reserve over 256 bits, a fee
            of all there is.
    """
    pool = checked_pool(state.pool)
    for scale in state.terms.scales:
        checked_scale(pool, scale)
    for field, reserve in (("reserve0", state.reserve0), ("reserve1", state.reserve1)):
        if not 0 <= reserve < RESERVE_END:
            raise MalformedPoolError(pool.id, field, f"{reserve} is no unsigned 256-bit number")
    if not 0 <= state.fee < state.terms.fee_source.unit:
        raise MalformedPoolError(pool.id, "fee", f"{state.fee} of {state.terms.fee_source.unit} leaves nothing")
    return state


_SCALES = frozenset(10**digits for digits in range(DECIMALS_MAX + 1))
