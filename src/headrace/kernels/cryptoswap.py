"""CryptoSwap: two or three coins around prices that the pool itself moves; what a swap pays, in integers.

Idea. Balances are counted in common units, x_k = balance_k * precision_k * price scale_k (the first coin's price is 1).
On them stands the invariant of `headrace.kernels.cryptoswap_newton`. A swap adds to one balance, solves for another
with D fixed, takes one unit off, goes back to raw units rounding down, and takes a fee that grows with imbalance:

    fee = mid f + out (1 - f),   f = fee_gamma / (fee_gamma + 1 - K),   K = prod(x) / (sum(x) / n)^n   after the swap

Generations. The same invariant is solved in deployed pools in five ways, which differ in roundings and in limits; see
`Generation`. `PAIR_NG` in its later pools has another fee, `has_curved_fee`.

After the swap the pool finds D anew and may revert with "Loss": if its virtual price, computed by the contract's own
rounded arithmetic, did not keep up. That concerns swaps whose fee is smaller than those roundings. `Backing` carries
what the test needs; it is skipped where the fee is worth more than 10^-9 of the pool, which no rounding reaches.

Representation. Integers only. A scale is precision times price, 18 decimals: raw * scale / 10^18 are common units.

Inverse. See `headrace.kernels.cryptoswap_inverse`.

Error. None against the documented arithmetic.

Source: Egorov, "Automatic market-making with dynamic peg" (2021); Curve's documentation of the pools' `exchange`.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from headrace.kernels.cryptoswap_cubic import balance_of_three, balance_of_two, cube_root
from headrace.kernels.cryptoswap_newton import (
    ONE,
    Curve,
    DustError,
    RevertError,
    balance_by_newton,
    invariant_by_newton,
    mean_by_newton,
)

FEE_ONE = 10**10
_CURVED_FEE_MIN = 10**5
INVARIANT_MIN, _INVARIANT_MAX = 10**17, 10**33  # of D at which the contract swaps
_SHARE_MIN, _SHARE_MAX = 10**16, 10**20  # of D, 18 decimals: how little and how much of it one balance may be
_LARGEST_MIN, _LARGEST_MAX = 10**9, 10**33
_WIDE_GAMMA = 2 * 10**16  # above it the later twocrypto-NG narrows its limits
_CERTAIN_PROFIT = 10**9  # a fee worth more than this part of D cannot be lost in roundings
_TRIPLE = 3


class Generation(StrEnum):
    """Which deployed arithmetic a pool has.

    TRIPLE and PAIR are the pools of 2021 and 2022; PAIR_GROUPED those of them that group one term of the derivative
    otherwise. The others solve a cubic. PAIR_NG_WIDE is the later one: larger gamma, narrower balances.
    """

    TRIPLE = "tricrypto"
    PAIR = "twocrypto"
    PAIR_GROUPED = "twocrypto_grouped"
    TRIPLE_NG = "tricrypto_ng"
    PAIR_NG = "twocrypto_ng"
    PAIR_NG_WIDE = "twocrypto_ng_wide"

    @property
    def coins(self) -> int:
        """Number of coins."""
        return _TRIPLE if self in (Generation.TRIPLE, Generation.TRIPLE_NG) else 2

    @property
    def is_next(self) -> bool:
        """Whether it is of the second generation."""
        return self in (Generation.TRIPLE_NG, Generation.PAIR_NG, Generation.PAIR_NG_WIDE)


class Fees(msgspec.Struct, frozen=True):
    """Fees in 10^-10 and their steepness as an 18-decimal fraction."""

    mid_fee: int
    out_fee: int
    fee_gamma: int
    has_curved_fee: bool = False


class Backing(msgspec.Struct, frozen=True):
    """What stands behind a pool's shares: their supply, and the least virtual price that a swap may leave.

    Attributes:
        supply: shares, 18 decimals.
        virtual_price: as stored, 18 decimals.
    """

    supply: int
    virtual_price: int


class CryptoSwapPool(msgspec.Struct, frozen=True):
    """One pool in one block.

    Attributes:
        balances: raw units.
        scales: precision times price scale of each coin, 18 decimals; the first coin's price is 10^18.
        prices: price scale of each coin but the first, 18 decimals.
        ann: A n^n with four decimals, in this block; `gamma` likewise, 18 decimals.
        invariant: D as stored.
        is_ramping: whether the contract computes D anew before a swap.
        backing: None where a loss is not to be tested (while A or gamma ramp, the contract does not).
    """

    generation: Generation
    balances: tuple[int, ...]
    scales: tuple[int, ...]
    prices: tuple[int, ...]
    ann: int
    gamma: int
    invariant: int
    fees: Fees
    is_ramping: bool = False
    backing: Backing | None = None

    def common(self, balances: Sequence[int]) -> list[int]:
        """Raw balances in common units, rounded down."""
        return [balance * scale // ONE for balance, scale in zip(balances, self.scales, strict=True)]


def amount_out(pool: CryptoSwapPool, index_in: int, index_out: int, amount_in: int) -> int:
    """What `exchange` pays for exactly `amount_in` (raw units, at least 1), rounded as the contract rounds.

    Raises:
        RevertError: the contract would revert; `str()` says why.
    """
    try:
        return _amount_out(pool, index_in, index_out, amount_in)
    except ZeroDivisionError as error:
        raise RevertError("a division by zero") from error


class Solution(NamedTuple):
    """What solving the curve gives, before a fee.

    Attributes:
        common: balances in common units, the input added, the output's as solved.
        given: what leaves the curve, common units; one unit is held back, so it may be -1.
        k0: K0 where the generation finds it, else 0.
        invariant: D, as stored or while A and gamma ramp as found anew.
    """

    common: list[int]
    given: int
    k0: int
    invariant: int


def solved(pool: CryptoSwapPool, index_in: int, index_out: int, amount_in: int) -> Solution:
    """The curve after `amount_in` (raw units, at least 1).

    Raises:
        RevertError: the contract would revert.
        ZeroDivisionError: the same.
    """
    balances = list(pool.balances)
    invariant = invariant_of(pool, balances) if pool.is_ramping else pool.invariant
    balances[index_in] += amount_in
    common = pool.common(balances)
    left, k0 = balance_after(pool, common, index_out, invariant)
    given = common[index_out] - left - 1
    common[index_out] = left
    return Solution(common, given, k0, invariant)


def _amount_out(pool: CryptoSwapPool, index_in: int, index_out: int, amount_in: int) -> int:
    common, given, k0, invariant = solved(pool, index_in, index_out, amount_in)
    if given < 0:
        raise DustError("the output is less than nothing")
    raw, held, left = given * ONE // pool.scales[index_out], pool.balances[index_out], common[index_out]
    paid = raw - fee(pool, common) * raw // FEE_ONE
    if paid > held:
        raise RevertError("the output is more than the balance")
    common[index_out] = (held - paid) * pool.scales[index_out] // ONE
    is_certain = (common[index_out] - left) * _CERTAIN_PROFIT > invariant and _is_moderate(common, invariant)
    if pool.backing is not None and not is_certain:
        _refuse_loss(pool, pool.backing, common, k0)
    return paid


def fee(pool: CryptoSwapPool, common: Sequence[int]) -> int:
    """The fee at these balances in common units, 10^-10, rounded down.

    Raises:
        ZeroDivisionError: no balances, where the contract reverts.
    """
    fees, evenness = pool.fees, _evenness(common)
    if fees.has_curved_fee:
        bent = fees.fee_gamma * evenness
        share = bent // (bent // ONE + ONE - evenness)
    elif fees.fee_gamma or len(common) != _TRIPLE:
        share = fees.fee_gamma * ONE // (fees.fee_gamma + ONE - evenness)
    else:
        share = evenness
    taken = (fees.mid_fee * share + fees.out_fee * (ONE - share)) // ONE
    return min(FEE_ONE, max(_CURVED_FEE_MIN, taken)) if fees.has_curved_fee else taken


def invariant_of(pool: CryptoSwapPool, balances: Sequence[int], k0: int = 0) -> int:
    """D of raw balances as the contract computes it; `k0` is the estimate that the second generation passes on.

    Raises:
        RevertError: the contract would revert.
        ZeroDivisionError: the same.
    """
    return _invariant(pool, pool.common(balances), k0)


def _invariant(pool: CryptoSwapPool, common: Sequence[int], k0: int) -> int:
    falling = sorted(common, reverse=True)
    _refuse_extremes(pool, falling)
    invariant = invariant_by_newton(pool.ann, pool.gamma, falling, _first_invariant(pool, falling, k0))
    least, most = _SHARE_MIN - 1 if pool.generation.is_next else _SHARE_MIN, _SHARE_MAX
    if pool.generation is Generation.PAIR_NG_WIDE:
        least, most = _SHARE_MIN // 2, _SHARE_MAX // 2
    if any(not least <= balance * ONE // invariant <= most for balance in falling):
        raise RevertError("unsafe values of the balances after D")
    return invariant


def _first_invariant(pool: CryptoSwapPool, falling: Sequence[int], k0: int) -> int:
    """Where the iteration for D starts."""
    count = len(falling)
    if not pool.generation.is_next:
        return count * mean_by_newton(falling)
    if not k0:
        return count * mean_down(pool, falling)
    if count == _TRIPLE:
        digits = 18 if sum(falling) > 10**36 else 12 if sum(falling) > 10**24 else 9
        part = falling[0] * falling[1] // 10 ** (2 * digits) * falling[2] // k0
        return cube_root(part * 27 * 10 ** {18: 12, 12: 6, 9: 0}[digits])
    return min(sum(falling), math.isqrt(4 * falling[0] * falling[1] // k0 * ONE))


def mean_down(pool: CryptoSwapPool, values: Sequence[int]) -> int:
    """Geometric mean as the pool's generation computes it.

    Raises:
        RevertError: it does not converge.
        ZeroDivisionError: a value is 0, where the first generation reverts.
    """
    if not pool.generation.is_next:
        return mean_by_newton(sorted(values, reverse=True))
    if len(values) != _TRIPLE:
        return math.isqrt(values[0] * values[1])
    product = values[0] * values[1] // ONE * values[2] // ONE
    return cube_root(product) if product else 0


def balance_after(pool: CryptoSwapPool, common: Sequence[int], index_out: int, invariant: int) -> tuple[int, int]:
    """The balance that the others leave to one coin, in common units, and K0 where the generation finds it (else 0).

    Raises:
        RevertError: the contract would revert.
        ZeroDivisionError: the same.
    """
    if not INVARIANT_MIN <= invariant <= _INVARIANT_MAX:
        raise RevertError("unsafe value of D")
    others = [balance for index, balance in enumerate(common) if index != index_out]
    least, most = share_limits(pool)
    if any(not least <= other * len(common) * ONE // invariant <= most for other in others):
        raise RevertError("unsafe values of the balances")
    curve = Curve(len(common), pool.ann, pool.gamma, invariant)
    if not pool.generation.is_next:
        left, k0 = balance_by_newton(curve, others, is_grouped=pool.generation is Generation.PAIR_GROUPED), 0
    else:
        left, k0 = balance_of_three(curve, *others) if len(others) > 1 else balance_of_two(curve, *others)
    _refuse_share(pool, left * ONE // invariant, is_closed=k0 > 0)
    return left, k0


def share_limits(pool: CryptoSwapPool) -> tuple[int, int]:
    """Least and most of n x / D, 18 decimals, that the contract takes of a balance."""
    count = pool.generation.coins
    if pool.generation is not Generation.PAIR_NG_WIDE:  # contracts of three coins divide before they compare
        return _SHARE_MIN * count, _SHARE_MAX * count + (2 if count == _TRIPLE else 0)
    most = _wide_limit(pool)
    return 10**36 // most, most


def _wide_limit(pool: CryptoSwapPool) -> int:
    return _SHARE_MAX * _WIDE_GAMMA // pool.gamma if pool.gamma > _WIDE_GAMMA else _SHARE_MAX


def _refuse_share(pool: CryptoSwapPool, share: int, *, is_closed: bool) -> None:
    """The contract's test of the balance it found, as a share of D."""
    if pool.generation is Generation.PAIR_NG_WIDE:
        least, most = 10**36 // 2 // _wide_limit(pool), _wide_limit(pool) // 2
    else:
        least, most = _SHARE_MIN - 1 if is_closed else _SHARE_MIN, _SHARE_MAX
    is_tested = is_closed or not pool.generation.is_next or pool.generation is Generation.TRIPLE_NG
    if is_tested and not least <= share <= most:
        raise RevertError("unsafe value of the balance out")


def _evenness(common: Sequence[int]) -> int:
    """K, 18 decimals: 10^18 where all balances are equal, less the more they differ."""
    total, count = sum(common), len(common)
    if count != _TRIPLE:
        return 4 * ONE * common[0] // total * common[1] // total
    evenness = ONE
    for balance in common:
        evenness = evenness * count * balance // total
    return evenness


def _refuse_extremes(pool: CryptoSwapPool, falling: Sequence[int]) -> None:
    """The contract's tests before it computes D."""
    if pool.generation is Generation.TRIPLE_NG:
        return
    least = 10**11 if len(falling) == _TRIPLE else 10**14
    if not _LARGEST_MIN <= falling[0] <= _LARGEST_MAX:
        raise RevertError("unsafe value of the largest balance")
    if any(balance * ONE // falling[0] < least for balance in falling[1:]):
        raise RevertError("unsafe values of the smaller balances")


def _is_moderate(common: Sequence[int], invariant: int) -> bool:
    """Whether no balance is so near a limit that the new D could be refused."""
    return all(_SHARE_MIN * 101 < balance * ONE * 100 // invariant < _SHARE_MAX * 49 for balance in common)


def _refuse_loss(pool: CryptoSwapPool, backing: Backing, common: Sequence[int], k0: int) -> None:
    """The contract's last test: D anew, and the virtual price from it."""
    invariant = _invariant(pool, common, k0)
    count = len(common)
    parts = [invariant // count, *(invariant * ONE // (count * price) for price in pool.prices)]
    virtual_price = ONE * mean_down(pool, parts) // backing.supply
    least = backing.virtual_price + 1 if pool.generation.is_next else backing.virtual_price
    if virtual_price < least:
        raise DustError("Loss")
