"""Swaps of Balancer v3 to the digit: the vault scales, takes the fee and scales back; the pool is a curve between.

Idea. The vault brings an amount to 18 decimals and multiplies it by the token's rate, takes the fee from that, asks the
pool's curve over balances brought there in the same way, and divides the answer by scale and rate. Two curves stand
here: the weighted product (`weighted`, without its fee) and the stable one (`balancer_stable`).

Representation. Raw balances as the vault stores them; rates carry 18 decimals; scaling factors are powers of ten. All
roundings fall to the pool: inputs and balances down, the fee up, the rate that an output is divided by up, the output
down. The weighted pool of 2025 counts one unit more of the balance in.

Reverts. Less than the vault's least amount, before or after the curve; over 30 % of a weighted balance; a weighted
balance under its minimum; a stable pool out of proportion by ten thousand; over 128 bits of a balance, raw or scaled.
Pools from before 2025's end lack the last two checks of the curves: minima are then absent (`minima` is None), and the
proportion is held against all stable pools, which refuses a few swaps that an old one takes.

Inverse. As for the curves: monotone but for Newton's last unit; `least_input` settles it.

Source: Vault.sol, ScalingHelpers.sol, WeightedPool.sol, WeightedMath.sol, StablePool.sol, StableMath.sol of
balancer-v3-monorepo, as published in @balancer-labs/v3-vault, v3-pool-weighted and v3-pool-stable 1.0.0.
"""

import msgspec

from headrace.kernels import weighted
from headrace.kernels.balancer_stable import balance_up, invariant_down
from headrace.kernels.fixed_point_power import ONE, divide_up, multiply_down, multiply_up
from headrace.kernels.least_input import least_input
from headrace.kernels.weighted import RATIO_MAX, WeightedPair

BALANCE_END = 1 << 128  # raw and scaled balances share a word
IMBALANCE_END = 10_000

Numbers = tuple[int, ...]


class WeightedCurve(msgspec.Struct, frozen=True, tag="weighted"):
    """Weights as 18-decimal fractions; the least scaled balances, None in pools that have no such limit."""

    weights: Numbers
    minima: Numbers | None

    def output(self, balances: Numbers, index_in: int, index_out: int, amount_in: int) -> int:
        """Scaled output of a scaled input; raises ArithmeticError where the pool reverts."""
        given = weighted.amount_out(self._pair(balances, index_in, index_out), amount_in)
        if given is None:
            raise ArithmeticError(amount_in)
        self._check_minima(balances, index_in, index_out, given)
        return given

    def asked(self, balances: Numbers, index_in: int, index_out: int, amount_out: int) -> int:
        """Scaled input for a scaled output; raises ArithmeticError where the pool reverts."""
        found = weighted.amount_in_asked(self._pair(balances, index_in, index_out), amount_out)
        if found is None:
            raise ArithmeticError(amount_out)
        self._check_minima(balances, index_in, index_out, amount_out)
        return found

    def input_max(self, balances: Numbers, index_in: int) -> int:
        """The most that the pool takes at once, scaled."""
        return multiply_down(balances[index_in] + (self.minima is not None), RATIO_MAX)

    def _check_minima(self, balances: Numbers, index_in: int, index_out: int, amount_out: int) -> None:
        if self.minima is None:
            return
        if balances[index_in] + 1 < self.minima[index_in] or balances[index_out] - amount_out < self.minima[index_out]:
            raise ArithmeticError(amount_out)

    def _pair(self, balances: Numbers, index_in: int, index_out: int) -> WeightedPair:
        return WeightedPair(
            balance_in=balances[index_in] + (self.minima is not None),
            balance_out=balances[index_out],
            weight_in=self.weights[index_in],
            weight_out=self.weights[index_out],
            swap_fee=0,
            has_shortcuts=True,
        )


class StableCurve(msgspec.Struct, frozen=True, tag="stable"):
    """Amplification A n^(n-1) in thousandths."""

    amplification: int

    def output(self, balances: Numbers, index_in: int, index_out: int, amount_in: int) -> int:
        """Scaled output of a scaled input; raises ArithmeticError where the pool reverts."""
        left = self._other(balances, (index_in, amount_in), index_out)
        given = balances[index_out] - left - 1
        if given < 0:
            raise ArithmeticError(given)
        _check_proportion(balances, balances[index_in] + amount_in, balances[index_out] - given)
        return given

    def asked(self, balances: Numbers, index_in: int, index_out: int, amount_out: int) -> int:
        """Scaled input for a scaled output; raises ArithmeticError where the pool reverts."""
        if amount_out > balances[index_out]:
            raise ArithmeticError(amount_out)
        grown = self._other(balances, (index_out, -amount_out), index_in)
        if grown < balances[index_in]:
            raise ArithmeticError(grown)
        _check_proportion(balances, grown + 1, balances[index_out] - amount_out)
        return grown + 1 - balances[index_in]

    def input_max(self, balances: Numbers, index_in: int) -> int:
        """The most that could be stored, scaled."""
        return BALANCE_END - balances[index_in]

    def _other(self, balances: Numbers, change: tuple[int, int], wanted: int) -> int:
        place, amount = change
        invariant = invariant_down(self.amplification, balances)
        changed = tuple(one + amount if i == place else one for i, one in enumerate(balances))
        return balance_up(self.amplification, changed, invariant, wanted, multiplies_first=True)


Curve = WeightedCurve | StableCurve


class VaultPool(msgspec.Struct, frozen=True):
    """A pool as the vault swaps with it.

    Attributes:
        curve: over scaled balances.
        balances: raw units, after the fees on yield that the vault takes before a swap.
        scalings: powers of ten, 10^(18 - decimals).
        rates: 18 decimals.
        swap_fee: 18-decimal fraction of the scaled input.
        trade_min: least scaled amount, in and out.
    """

    curve: Curve
    balances: Numbers
    scalings: Numbers
    rates: Numbers
    swap_fee: int
    trade_min: int

    def scaled_balances(self) -> Numbers:
        """Balances as the curve counts them, rounded down."""
        rows = zip(self.balances, self.scalings, self.rates, strict=True)
        return tuple(multiply_down(one * by, rate) for one, by, rate in rows)


def amount_out(pool: VaultPool, index_in: int, index_out: int, amount_in: int) -> int | None:
    """What the vault pays for exactly `amount_in` (raw units), rounded down; None where it reverts."""
    try:
        return _output(pool, pool.scaled_balances(), (index_in, index_out), amount_in)
    except ArithmeticError:
        return None


def amount_in_asked(pool: VaultPool, index_in: int, index_out: int, amount_out: int) -> int | None:
    """What the vault asks for exactly `amount_out` (raw units), rounded up; None where it reverts.

    It is not the least input that gives that much: both directions round to the pool.
    """
    try:
        wanted = multiply_up(amount_out * pool.scalings[index_out], _rate_up(pool.rates[index_out]))
        net = pool.curve.asked(pool.scaled_balances(), index_in, index_out, _traded(pool, wanted))
    except ArithmeticError:
        return None
    if net < pool.trade_min:
        return None
    return divide_up(_with_fee(pool, net), pool.scalings[index_in] * pool.rates[index_in])


def amount_in(pool: VaultPool, index_in: int, index_out: int, amount_out_min: int) -> int | None:
    """Least input whose `amount_out` reaches `amount_out_min` (at least 1), None where none does."""
    scaled = pool.scaled_balances()

    def output(amount: int) -> int | None:
        try:
            return _output(pool, scaled, (index_in, index_out), amount)
        except ArithmeticError:
            return None

    most = _input_max(pool, scaled, index_in)
    guess = amount_in_asked(pool, index_in, index_out, amount_out_min) or most
    return least_input(output, amount_out_min, guess=guess, input_max=most) if most else None


def _output(pool: VaultPool, scaled: Numbers, way: tuple[int, int], amount_in: int) -> int:
    index_in, index_out = way
    given = pool.curve.output(scaled, index_in, index_out, _traded(pool, _net(pool, index_in, amount_in)))
    return _traded(pool, given) * ONE // (pool.scalings[index_out] * _rate_up(pool.rates[index_out]))


def _net(pool: VaultPool, index_in: int, amount_in: int) -> int:
    """Scaled input less the fee."""
    whole = multiply_down(amount_in * pool.scalings[index_in], pool.rates[index_in])
    return whole - multiply_up(whole, pool.swap_fee)


def _with_fee(pool: VaultPool, net: int) -> int:
    return net + divide_up(net * pool.swap_fee, (ONE - pool.swap_fee) * ONE)


def _input_max(pool: VaultPool, scaled: Numbers, index_in: int) -> int:
    """The most raw units whose net amount the curve takes, by halving: the net amount never falls."""
    limit = pool.curve.input_max(scaled, index_in)
    unit = pool.scalings[index_in] * pool.rates[index_in]
    fits, beyond = 0, 1 + -(-_with_fee(pool, limit + 1) * ONE // unit)
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        fits, beyond = (middle, beyond) if _net(pool, index_in, middle) <= limit else (fits, middle)
    return fits


def _traded(pool: VaultPool, amount: int) -> int:
    if amount < pool.trade_min or amount >= BALANCE_END:
        raise ArithmeticError(amount)
    return amount


def _rate_up(rate: int) -> int:
    return rate if rate % ONE == 0 else rate + 1


def _check_proportion(balances: Numbers, balance_in: int, balance_out: int) -> None:
    if max(*balances, balance_in) // min(*balances, balance_out) >= IMBALANCE_END:
        raise ArithmeticError(balance_in)
