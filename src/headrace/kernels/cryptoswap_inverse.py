"""The least input of a CryptoSwap pool for an output: the other direction of `headrace.kernels.cryptoswap`.

Idea. Take the output and its fee off one balance, let the invariant say the other: that is close. Then settle by exact
comparison, doubling away from the guess and halving back.

What "least" means. The output does not rise with every unit of input. K0 has 18 decimals, so solutions jump about by
some 10^-18 of D, which is thousands of units of a coin with 18 decimals; and the fee has ten, so where it grows by one
the output falls by 10^-10 of itself. So some inputs reach an output and slightly larger ones do not. The answer
reaches it, one unit less does not, and neither do the inputs that lie powers of two below, as far as those jumps go;
an input between those may. `jump_width` says how much less it could be. Where the output rises, the answer is the
least.

Error. None: every comparison is of exact outputs.
"""

from headrace.kernels.cryptoswap import (
    FEE_ONE,
    CryptoSwapPool,
    amount_out,
    balance_after,
    fee,
    invariant_of,
    share_limits,
)
from headrace.kernels.cryptoswap_newton import ONE, DustError, RevertError

_JUMPS = 8
_FEE_STEP_SHIFT = 29
_WIDTH_SHIFT = 30  # the guess is right to about 10^-9
_FEE_ROUNDS = 3


def amount_in(pool: CryptoSwapPool, index_in: int, index_out: int, amount_out_min: int) -> int:
    """Least input whose output reaches `amount_out_min` (at least 1), in the sense above.

    Raises:
        RevertError: no input reaches it.
    """
    largest = _largest(pool, index_in)
    found = _settle(pool, (index_in, index_out), amount_out_min, _guess(pool, index_in, index_out, amount_out_min))
    below = _reaching_below(pool, (index_in, index_out), amount_out_min, found)
    while below is not None:
        found = _settle(pool, (index_in, index_out), amount_out_min, below)
        below = _reaching_below(pool, (index_in, index_out), amount_out_min, found)
    if found > largest or not _reaches(pool, (index_in, index_out), amount_out_min, found):
        raise RevertError(f"no input buys {amount_out_min}")
    return found


def jump_width(pool: CryptoSwapPool, index_in: int, amount: int) -> int:
    """Raw units around an input within which the output may fall as the input rises."""
    return _JUMPS * pool.invariant // pool.scales[index_in] + (amount >> _FEE_STEP_SHIFT)


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


def _settle(pool: CryptoSwapPool, way: tuple[int, int], wanted: int, guess: int) -> int:
    """An input that reaches, or is more than the contract takes, where one unit less falls short."""
    width = 1 + (guess >> _WIDTH_SHIFT)
    short, enough = guess, guess
    while not _is_enough(pool, way, wanted, enough):
        short, enough, width = enough, enough + width, 2 * width
    while short == enough or _is_enough(pool, way, wanted, short):
        enough = short
        short, width = max(0, short - width), 2 * width
        if short == 0:
            break
    while enough - short > 1:
        middle = (short + enough) // 2
        if _is_enough(pool, way, wanted, middle):
            enough = middle
        else:
            short = middle
    return enough


def _reaching_below(pool: CryptoSwapPool, way: tuple[int, int], wanted: int, found: int) -> int | None:
    for power in range(1, jump_width(pool, way[0], found).bit_length() + 1):
        below = found - (1 << power)
        if below > 0 and _reaches(pool, way, wanted, below):
            return below
    return None


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
