"""The most profitable input of a cycle.

Profit p(x) = f(x) - x, where f composes concave increasing hops and is therefore concave: the best x is where f'(x) =
1. A cycle of constant-product hops alone composes to f(x) = N x / (D + C x), whose best input is (sqrt(N D) - D) / C
without iteration. Any other is bracketed by steps of 16 from one unit and then halved in the logarithm of x, f'
decreasing.

A cycle that cannot gain its floor is not sized. Since f' falls from r, its value at zero, no input below
floor / (r - 1) gains the floor; where f' has fallen to 1 by there, no input does. And between a low end l of the
bracket, where f' is s, and its high end h, profit is at most p(l) + (h - l) (s - 1). Most cycles of a block end at the
first of these tests.

Error: the bracket ends at a relative width of 1e-6 or after 80 halvings. Profit is flat at its top, so an error of e
in the size costs e^2 of the profit; what remains is the rounding of integers, which the exact twin decides.

A cycle can begin at any of its tokens. It is turned to the one of least rank: the token that is wanted most as profit.
"""

import math

import numpy as np
from numba import njit

from headrace.kernels.curve import EdgeArrays, IntArray, walk
from headrace.kernels.shape import FloatArray, ShapeKind

_CONSTANT_PRODUCT = int(ShapeKind.CONSTANT_PRODUCT)
_STEP = 16.0
_STEPS_MAX = 50
_HALVINGS_MAX = 80
_WIDTH = 1e-6
_HOPELESS = -1.0
UNRANKED = 1 << 30


@njit(cache=True, error_model="numpy", nogil=True)
def size_cycles(
    arrays: EdgeArrays,
    rate: FloatArray,
    rank: IntArray,
    floors: FloatArray,
    cycles: IntArray,
    sized: FloatArray,
) -> None:
    """Turn each cycle to its best first token, and size it.

    Args:
        arrays: the edges.
        rate: marginal price of each edge at zero size.
        rank: of the token that each edge takes; `UNRANKED` for one at which no cycle may begin.
        floors: by rank, what a cycle must gain to be worth its size; 0 to size all.
        cycles: edges, a row each; turned in place.
        sized: gets (best input, profit, product of rates) for each row; all 0 where no token has a rank or nothing is
            gained. A cycle that gains less than its floor gets (0, -1, product of rates).
    """
    hops = cycles.shape[1]
    turned = np.empty(hops, np.int64)
    for at in range(cycles.shape[0]):
        first = 0
        for place in range(1, hops):
            if rank[cycles[at, place]] < rank[cycles[at, first]]:
                first = place
        sized[at] = 0.0
        least = rank[cycles[at, first]]
        if least == UNRANKED:
            continue
        product = 1.0
        for place in range(hops):
            turned[place] = cycles[at, (first + place) % hops]
            product *= rate[turned[place]]
        cycles[at] = turned
        amount, profit = best_input(arrays, turned, product, floors[least])
        if amount > 0.0 or profit == _HOPELESS:
            sized[at, 0], sized[at, 1], sized[at, 2] = amount, profit, product


@njit(cache=True, error_model="numpy", nogil=True)
def best_input(arrays: EdgeArrays, edges: IntArray, rate: float, floor: float) -> tuple[float, float]:
    """Best input and its profit, in raw units of the first token; (0, 0) where no input gains.

    Where inputs of at least one unit gain, but none gains `floor`: (0, -1).
    """
    is_closed_form = True
    for edge in edges:
        if arrays.kind[edge] != _CONSTANT_PRODUCT:
            is_closed_form = False
    if is_closed_form:
        amount = _best_constant_product_input(arrays.parameters, edges)
    else:
        amount = _best_input_by_bisection(arrays, edges, rate, floor)
    if amount == _HOPELESS:
        return 0.0, _HOPELESS
    if not amount > 0.0:
        return 0.0, 0.0
    output, _ = walk(arrays, edges, amount)
    profit = output - amount
    if not profit > 0.0:
        return 0.0, 0.0
    if profit < floor and amount >= 1.0:
        return 0.0, _HOPELESS
    return amount, profit


@njit(cache=True, error_model="numpy", nogil=True)
def _best_constant_product_input(parameters: FloatArray, edges: IntArray) -> float:
    numerator, denominator, curvature = 1.0, 1.0, 0.0
    for edge in edges:
        reserve_in, reserve_out, gamma = parameters[edge, 0], parameters[edge, 1], parameters[edge, 2]
        curvature = curvature * reserve_in + gamma * numerator
        denominator *= reserve_in
        numerator *= gamma * reserve_out
        scale = 1.0 / denominator if denominator > 0.0 else 0.0  # f is unchanged; products of reserves would overflow
        numerator, denominator, curvature = numerator * scale, denominator * scale, curvature * scale
    if numerator <= denominator or curvature <= 0.0:
        return 0.0
    return (math.sqrt(numerator * denominator) - denominator) / curvature


@njit(cache=True, error_model="numpy", nogil=True)
def _best_input_by_bisection(arrays: EdgeArrays, edges: IntArray, rate: float, floor: float) -> float:
    low = 1.0
    output, slope = walk(arrays, edges, low)
    if not slope > 1.0:
        return 0.0
    if rate > 1.0 and floor > rate - 1.0:
        low = floor / (rate - 1.0)
        output, slope = walk(arrays, edges, low)
        if not slope > 1.0:
            return _HOPELESS
    high = low
    for _ in range(_STEPS_MAX):
        high *= _STEP
        high_output, high_slope = walk(arrays, edges, high)
        if not high_slope > 1.0:
            break
        low, output, slope = high, high_output, high_slope
    for _ in range(_HALVINGS_MAX):
        if output - low + (high - low) * (slope - 1.0) < floor:
            return _HOPELESS
        middle = math.sqrt(low * high)
        middle_output, middle_slope = walk(arrays, edges, middle)
        if middle_slope > 1.0:
            low, output, slope = middle, middle_output, middle_slope
        else:
            high = middle
        if high - low <= _WIDTH * high:
            break
    return low
