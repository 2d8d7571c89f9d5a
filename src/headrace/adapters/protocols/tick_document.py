"""A table of ticks in a document, as a person has it.

    "tick_spacing": "60", "ticks": {"-120": ["700", "700"], "60": ["700", "-700"]}

Each tick gives gross and net liquidity; a lone string is the net, where nobody kept the gross. List every initialised
tick, also those of net zero: a swap stops there too. Where the ticks stop being known, `coverage` says so: two ticks,
and only ticks between them are listed; quotes that would reach either are refused. `liquidity` at the price must then
be given; otherwise it may be left out, as may `tick`: both follow.

Inside, a table cut at its coverage gets a tick at each cut that brings in, and takes out, what is in force there.
"""

import re
from collections.abc import Mapping
from itertools import accumulate

from headrace.adapters.protocols.document_values import Unfit, integer_of
from headrace.kernels.tick_flaws import price_range
from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    TICK_MIN,
    tick_at_sqrt_price_down,
)
from headrace.kernels.tick_table import Coverage, TickLiquidity, TickTable
from headrace.model.codec import JsonValue

NAMES = frozenset({"fee_pips", "tick_spacing", "ticks", "coverage"})
_TICK = re.compile(r"-?(?:0|[1-9][0-9]{0,6})")
_PAIR = 2
Document = Mapping[str, JsonValue]


def written(table: TickTable, pool_fee_pips: int | None) -> dict[str, JsonValue]:
    """The table's own fields; its fee only where it is not the pool's."""
    document: dict[str, JsonValue] = {} if table.fee_pips == pool_fee_pips else {"fee_pips": str(table.fee_pips)}
    document["tick_spacing"] = str(table.tick_spacing)
    lower, upper, is_gross_known = table.coverage
    if table.coverage.is_cut:
        document["coverage"] = [str(lower), str(upper)]
    document["ticks"] = {
        str(tick): [str(gross), str(net)] if is_gross_known else str(net)
        for tick, (gross, net) in table.entries().items()
        if not table.coverage.is_cut or lower < tick < upper
    }
    return document


def completed(document: Document) -> dict[str, JsonValue]:
    """With `tick` and `liquidity`, where they follow from price and ticks.

    Raises:
        Unfit: the price or a tick is not of its form, or no tick belongs to the price.
    """
    full = dict(document)
    if "tick" not in full and "sqrt_price_x96" in full:
        price = integer_of(full["sqrt_price_x96"], "sqrt_price_x96")
        if not SQRT_PRICE_MIN <= price < SQRT_PRICE_MAX:
            raise Unfit("sqrt_price_x96", price_range(price))
        full["tick"] = str(tick_at_sqrt_price_down(price))
    if "liquidity" not in full and "coverage" not in full and "tick" in full:
        tick = integer_of(full["tick"], "tick")
        net = {at: one.net for at, one in _entries(full, "")[0].items()}
        full["liquidity"] = str(sum(amount for at, amount in net.items() if at <= tick))
    return full


def read(document: Document, at: str, pool_fee_pips: int) -> TickTable:
    """The table; its liquidity, where cut, from `tick` and `liquidity` beside it.

    Raises:
        Unfit: a field is missing or not of its form.
    """
    if "tick_spacing" not in document:
        raise Unfit(_place(at, "tick_spacing"), "it is missing")
    spacing = integer_of(document["tick_spacing"], _place(at, "tick_spacing"))
    fee = integer_of(document.get("fee_pips", str(pool_fee_pips)), _place(at, "fee_pips"))
    entries, is_gross_known = _entries(document, at)
    if "coverage" not in document:
        return TickTable(fee, spacing, entries, Coverage(TICK_MIN, TICK_MAX, is_gross_known))
    lower, upper = _coverage(document, at)
    if any(not lower < tick < upper for tick in entries):
        raise Unfit(_place(at, "coverage"), f"a tick is not between {lower} and {upper}")
    if not {"tick", "liquidity"} <= document.keys():
        raise Unfit(_place(at, "coverage"), "it wants `tick` and `liquidity` beside it")
    here = integer_of(document["liquidity"], _place(at, "liquidity"))
    tick = integer_of(document["tick"], _place(at, "tick"))
    if not lower <= tick < upper:
        raise Unfit(_place(at, "coverage"), f"the pool stands at {tick}, outside of {lower} to {upper}")
    cut = _cut_to(entries, here - sum(one.net for t, one in entries.items() if t <= tick), (lower, upper))
    return TickTable(fee, spacing, cut, Coverage(lower, upper, is_gross_known))


def _cut_to(entries: Mapping[int, TickLiquidity], below: int, bounds: tuple[int, int]) -> dict[int, TickLiquidity]:
    """The ticks with one at each cut; `below` is in force from the lower cut up."""
    ordered = sorted(entries)
    above = [*accumulate((entries[tick].net for tick in ordered), initial=below)][-1]
    cut = dict(entries)
    for tick, net in ((bounds[0], below), (bounds[1], -above)):
        if net:
            cut[tick] = TickLiquidity(abs(net), net)
    return cut


def _entries(document: Document, at: str) -> tuple[dict[int, TickLiquidity], bool]:
    ticks = document.get("ticks")
    if not isinstance(ticks, dict):
        raise Unfit(_place(at, "ticks"), 'write an object: {"tick": ["gross", "net"]}')
    entries = {}
    is_gross_known = True
    for key, value in ticks.items():
        place = _place(at, f"ticks.{key}")
        if not _TICK.fullmatch(key) or key == "-0":
            raise Unfit(place, "write the tick as a decimal string")
        if isinstance(value, list):
            if len(value) != _PAIR:
                raise Unfit(place, 'write ["gross", "net"]')
            entries[int(key)] = TickLiquidity(integer_of(value[0], place), integer_of(value[1], place))
        else:
            net = integer_of(value, place)
            entries[int(key)] = TickLiquidity(max(abs(net), 1), net)
            is_gross_known = False
    return entries, is_gross_known


def _coverage(document: Document, at: str) -> tuple[int, int]:
    value, place = document["coverage"], _place(at, "coverage")
    if not isinstance(value, list) or len(value) != _PAIR:
        raise Unfit(place, 'write ["lower tick", "upper tick"]')
    lower, upper = (integer_of(one, place) for one in value)
    if not TICK_MIN <= lower < upper <= TICK_MAX:
        raise Unfit(place, f"{lower} to {upper} is no range of ticks")
    return lower, upper


def _place(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
