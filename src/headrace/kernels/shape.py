"""Shapes: how output follows from input, as floats for search. A protocol maps to one of these, in one direction.

Every shape is a concave, increasing function of the input in raw token units. A shape is a kind, four parameters and an
optional table of segments, so that hops of different protocols stand in one set of arrays (`headrace.kernels.curve`).

constant product   out = y g x / (X + g x)                                  parameters (X, Y, g)
weighted           out = Y (1 - (X / (X + g x))^w)                          parameters (X, Y, g, w), w = w_in / w_out
tick segments      a run of constant-product pieces, each with its liquidity: in the segment that starts at cumulative
                   input C and output D with virtual reserves X, Y:  out = D + Y g (x - C) / (X + g (x - C))
                   table rows (C, D, X, Y), C ascending from 0; parameters (g, total input that the table can take)

stable             balances on A's invariant, of any number of coins, with a fee on either side (`stable_shape`)

Source: Uniswap v2 whitepaper section 3; Uniswap v3 whitepaper section 6.2; Balancer whitepaper, "out given in";
StableSwap whitepaper.
"""

from enum import IntEnum

import msgspec
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class ShapeKind(IntEnum):
    """Which formula the parameters belong to."""

    CONSTANT_PRODUCT = 0
    WEIGHTED = 1
    TICK_SEGMENTS = 2
    STABLE = 3


class ConstantProduct(msgspec.Struct, frozen=True):
    """Reserves in raw units; `gamma` = 1 - fee."""

    reserve_in: float
    reserve_out: float
    gamma: float


class Weighted(msgspec.Struct, frozen=True):
    """Balances in raw units; `gamma` = 1 - fee; `weight_ratio` = weight in / weight out."""

    balance_in: float
    balance_out: float
    gamma: float
    weight_ratio: float


class TickSegments(msgspec.Struct, frozen=True):
    """`segments` has one row (cumulative input, cumulative output, virtual reserve in, virtual reserve out) per piece.

    Cumulative input includes the fee; the first row starts at (0, 0). `input_max` is the most that the pool can take
    before its liquidity or the covered range ends; 0 for an empty pool (then the table has no rows).
    """

    segments: FloatArray
    gamma: float
    input_max: float


class Stable(msgspec.Struct, frozen=True):
    """`balances` of all coins in one common unit (1e18 is one coin at par, rates included).

    Attributes:
        ann: A n^n of the invariant ann sum(x) + D = ann D + D^(n+1) / (n^n prod(x)).
        scale_in: common units per raw unit of the coin in, like `scale_out` for the coin out.
        gamma_in: 1 - fee taken from the input.
        gamma_out: 1 - fee taken from the output, at the peg.
        offpeg_multiplier: how many times that fee is taken far off the peg; 1 for a fixed fee.
    """

    balances: FloatArray
    ann: float
    index_in: int
    index_out: int
    scale_in: float
    scale_out: float
    gamma_in: float = 1.0
    gamma_out: float = 1.0
    offpeg_multiplier: float = 1.0


Shape = ConstantProduct | Weighted | TickSegments | Stable
