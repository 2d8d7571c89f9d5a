"""The least input of a CryptoSwap pool for an output: the other direction of `headrace.kernels.cryptoswap`.

Idea. Take the output and its fee off one balance, let the invariant say the other: that is close. Then settle by exact
comparison, as `headrace.kernels.least_input` does.

Why that is not enough. The output does not rise with every unit of input. K0 has 18 decimals, so solutions tremble by
some 10^-18 of D, which is thousands of units of a coin with 18 decimals; and the fee has ten, so where it grows by one
the output falls by 10^-10 of itself. So some inputs reach an output and slightly larger ones do not.

Bound. An input that reaches `wanted` has to give, before the fee, what pays it at the least fee that any candidate is
charged. What is given trembles by at most `tremble`, so there is a first input that could (`_bound`), and the least one
is not below it. The fee falls to even balances and rises from there, so its least is at an end of the candidates, and
each better bound makes for a better fee. Candidates are few where a unit of the coin in is worth more than the tremble
(coins of 6 or 8 decimals, swaps up to some million dollars): then each is tried, and the answer is the least of all. Of
a coin with 18 decimals they are more than `TRIES_MAX`, and are looked at in strides: the answer reaches, one unit less
does not, and a smaller input that reaches may be left between two looks. `candidates` tells how far down at most.

Measured. Solutions tremble by up to 2 D / 10^18 (900 random pools of all generations); eight are allowed for. That is
no proof: `Generation.PAIR_GROUPED` with a large gamma stops its iterations early, by 10^-8 of D, and where it stops one
round sooner its output may jump by more. Against brute force over 1,500 inputs each, answers of which every candidate
was tried were the least in 1,819 of 1,819; of those looked at in strides one in ten was not.

Error. None: every comparison is of exact outputs.
"""

from functools import partial

from headrace.kernels.cryptoswap import (
    FEE_ONE,
    CryptoSwapPool,
    amount_out,
    balance_after,
    fee,
    invariant_of,
    share_limits,
    solved,
)
from headrace.kernels.cryptoswap_newton import ONE, DustError, RevertError
from headrace.kernels.least_input import crossing, first_reaching

_TREMBLES = 8
_FEE_ROUNDS = 3
_BOUND_ROUNDS = 4


def amount_in(pool: CryptoSwapPool, index_in: int, index_out: int, amount_out_min: int) -> int:
    """Least input whose output reaches `amount_out_min` (at least 1), in the sense above.

    Raises:
        RevertError: no input reaches it.
    """
    among = candidates(pool, index_in, index_out, amount_out_min)
    return first_reaching(partial(_reaches, pool, (index_in, index_out), amount_out_min), among)


def candidates(pool: CryptoSwapPool, index_in: int, index_out: int, amount_out_min: int) -> range:
    """Inputs of which the last reaches, and below which none does.

    Raises:
        RevertError: no input reaches it.
    """
    way, largest = (index_in, index_out), _largest(pool, index_in)
    guess = _guess(pool, index_in, index_out, amount_out_min)
    found = crossing(partial(_is_enough, pool, way, amount_out_min), guess=guess, input_max=largest)
    if found is None or not _reaches(pool, way, amount_out_min, found):
        raise RevertError(f"no input buys {amount_out_min}")
    return range(_bound(pool, way, amount_out_min, found), found + 1)


def tremble(pool: CryptoSwapPool) -> int:
    """Common units by which more input may give less, before the fee."""
    return _TREMBLES * (pool.invariant // ONE + 1)


def _bound(pool: CryptoSwapPool, way: tuple[int, int], wanted: int, found: int) -> int:
    """The first input that could reach, given that `found` does."""
    bound, fee_rate = found, min(pool.fees.mid_fee, pool.fees.out_fee)
    for _ in range(_BOUND_ROUNDS):
        raw = (wanted - 1) * FEE_ONE // (FEE_ONE - fee_rate) + 1  # the fee is rounded down
        needed = -(-raw * pool.scales[way[1]] // ONE) - tremble(pool)
        first = crossing(partial(_gives, pool, way, needed), guess=found, input_max=found)
        assert first is not None, "what reaches gives enough"
        bound = first
        aside = 1 + tremble(pool) * ONE // pool.scales[way[0]]
        ends = (max(1, bound - aside), bound, found, found + aside)
        rate = min((_fee_rate(pool, way, end) for end in ends), default=fee_rate)
        if rate <= fee_rate:
            break
        fee_rate = rate
    return bound


def _gives(pool: CryptoSwapPool, way: tuple[int, int], needed: int, amount: int) -> bool:
    """Whether so much leaves the curve; what the contract does not take as too little does not."""
    try:
        return solved(pool, *way, amount).given >= needed
    except (RevertError, ZeroDivisionError):
        return False


def _fee_rate(pool: CryptoSwapPool, way: tuple[int, int], amount: int) -> int:
    """The fee of an input, the least there is where the contract does not take it."""
    try:
        return fee(pool, solved(pool, *way, amount).common)
    except (RevertError, ZeroDivisionError):
        return min(pool.fees.mid_fee, pool.fees.out_fee)


def _guess(pool: CryptoSwapPool, index_in: int, index_out: int, wanted: int) -> int:
    """What the invariant asks for the output and its fee; the largest input where it asks for too much."""
    largest = _largest(pool, index_in)
    taken = wanted
    common = pool.common(pool.balances)
    try:
        invariant = invariant_of(pool, pool.balances) if pool.is_ramping else pool.invariant
        for _ in range(_FEE_ROUNDS):
            after = pool.common(pool.balances)
            after[index_out] -= taken * pool.scales[index_out] // ONE
            after[index_in] = balance_after(pool, after, index_in, invariant)[0]
            taken = wanted * FEE_ONE // (FEE_ONE - fee(pool, after))
    except (RevertError, ZeroDivisionError):
        return largest
    return max(1, min(largest, (after[index_in] - common[index_in]) * ONE // pool.scales[index_in]))


def _largest(pool: CryptoSwapPool, index_in: int) -> int:
    """More than any input that the contract takes."""
    _, most = share_limits(pool)
    invariant = max(pool.invariant, *pool.common(pool.balances))
    return 2 * (most + 1) * invariant // pool.scales[index_in] + 1


def _reaches(pool: CryptoSwapPool, way: tuple[int, int], wanted: int, amount: int) -> bool:
    try:
        return amount_out(pool, *way, amount) >= wanted
    except RevertError:
        return False


def _is_enough(pool: CryptoSwapPool, way: tuple[int, int], wanted: int, amount: int) -> bool:
    """Whether the input reaches, or is too large for the contract."""
    try:
        return amount_out(pool, *way, amount) >= wanted
    except DustError:
        return False
    except RevertError:
        return True
