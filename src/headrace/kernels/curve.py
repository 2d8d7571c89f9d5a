"""Hops of every shape in one set of arrays, so that a cycle through different protocols is one compiled loop.

An edge is a pool in one direction. `EdgeArrays` holds, for each edge, its kind, up to four parameters and a slice of a
common table of tick segments. Slices have spare room, so that a pool whose ticks change is rewritten in place; only
when one outgrows its room is the table laid out anew.

The functions here only dispatch: the arithmetic of each shape stands in its own kernel beside its integer twin. Floats
carry 53 bits, so sizes are right to about 1e-9 of themselves; the twins decide.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from headrace.kernels import constant_product, stable_shape, tick_shape, weighted
from headrace.kernels.shape import ConstantProduct, FloatArray, Shape, ShapeKind, Stable, TickSegments

IntArray = npt.NDArray[np.int64]
_PARAMETERS = 4
_SEGMENT_COLUMNS = 4
_LEAST_ROOM = 32
_CONSTANT_PRODUCT = int(ShapeKind.CONSTANT_PRODUCT)
_WEIGHTED = int(ShapeKind.WEIGHTED)
_STABLE = int(ShapeKind.STABLE)


class EdgeArrays(NamedTuple):
    """What the compiled functions read; parallel to the edges, but for `segments`."""

    kind: IntArray
    parameters: FloatArray
    segment_start: IntArray
    segment_count: IntArray
    segments: FloatArray


class Curves:
    """The owner and only writer of the arrays."""

    def __init__(self, edges: int) -> None:
        """Begin with `edges` empty edges, which give nothing."""
        self.arrays = EdgeArrays(
            kind=np.zeros(edges, np.int64),
            parameters=np.zeros((edges, _PARAMETERS)),
            segment_start=np.zeros(edges, np.int64),
            segment_count=np.zeros(edges, np.int64),
            segments=np.zeros((0, _SEGMENT_COLUMNS)),
        )
        self._room: IntArray = np.zeros(edges, np.int64)

    def put(self, edge: int, shape: Shape) -> None:
        """Write one edge."""
        kind, parameters = self.arrays.kind, self.arrays.parameters
        if isinstance(shape, ConstantProduct):
            kind[edge] = ShapeKind.CONSTANT_PRODUCT
            parameters[edge, 0], parameters[edge, 1] = shape.reserve_in, shape.reserve_out
            parameters[edge, 2] = shape.gamma
        elif isinstance(shape, TickSegments):
            kind[edge] = ShapeKind.TICK_SEGMENTS
            parameters[edge, 0], parameters[edge, 1] = shape.gamma, shape.input_max
            self._put_segments(edge, shape.segments)
        elif isinstance(shape, Stable):
            kind[edge] = ShapeKind.STABLE
            parameters[edge], rows = stable_shape.reduced(shape)
            self._put_segments(edge, rows)
        else:
            kind[edge] = ShapeKind.WEIGHTED
            parameters[edge] = shape.balance_in, shape.balance_out, shape.gamma, shape.weight_ratio

    def clear(self, edge: int) -> None:
        """Make an edge give nothing: its pool must not be traded."""
        self.arrays.kind[edge] = ShapeKind.CONSTANT_PRODUCT
        self.arrays.parameters[edge] = 0.0

    def _put_segments(self, edge: int, rows: FloatArray) -> None:
        count = len(rows)
        if count > self._room[edge]:
            self._make_room(edge, max(_LEAST_ROOM, 2 * count))
        start = int(self.arrays.segment_start[edge])
        self.arrays.segments[start : start + count] = rows
        self.arrays.segment_count[edge] = count

    def _make_room(self, edge: int, room: int) -> None:
        old = self.arrays
        self._room[edge] = room
        start = np.zeros(len(self._room), np.int64)
        np.cumsum(self._room[:-1], out=start[1:])
        segments = np.zeros((int(self._room.sum()), _SEGMENT_COLUMNS))
        for other in np.flatnonzero(old.segment_count):
            first, count = old.segment_start[other], old.segment_count[other]
            segments[start[other] : start[other] + count] = old.segments[first : first + count]
        self.arrays = old._replace(segment_start=start, segments=segments)


@njit(cache=True, error_model="numpy", nogil=True)
def hop(arrays: EdgeArrays, edge: int, amount_in: float) -> tuple[float, float]:
    """Output and marginal price (units out per further unit in) of one edge at `amount_in` raw units."""
    row = arrays.parameters[edge]
    if arrays.kind[edge] == _CONSTANT_PRODUCT:
        return constant_product.output_and_slope(row[0], row[1], row[2], amount_in)
    if arrays.kind[edge] == _WEIGHTED:
        return weighted.output_and_slope(row[0], row[1], row[2], row[3], amount_in)
    first = arrays.segment_start[edge]
    rows = arrays.segments[first : first + arrays.segment_count[edge]]
    if arrays.kind[edge] == _STABLE:
        return stable_shape.output_and_slope(row, rows, amount_in)
    return tick_shape.segments_output_and_slope(rows, row[0], row[1], amount_in)


@njit(cache=True, error_model="numpy", nogil=True)
def walk(arrays: EdgeArrays, edges: IntArray, amount_in: float) -> tuple[float, float]:
    """Output and marginal price of consecutive edges."""
    amount, slope = amount_in, 1.0
    for edge in edges:
        amount, factor = hop(arrays, edge, amount)
        slope *= factor
    return amount, slope


@njit(cache=True, error_model="numpy", nogil=True)
def write_rates(arrays: EdgeArrays, edges: IntArray, rate: FloatArray) -> None:
    """Write the marginal price at zero size of each of `edges` into its place in `rate`."""
    for edge in edges:
        _, rate[edge] = hop(arrays, edge, 0.0)
