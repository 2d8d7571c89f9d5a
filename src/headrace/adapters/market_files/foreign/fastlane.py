"""Pools as fastlane-bot (bancorprotocol/fastlane-bot) keeps them: one CSV row each, exact integers.

Uniswap v2 and Sushiswap pairs are whole. Of a Uniswap v3 pool a row tells the price and the liquidity in force, and
no tick: it is covered within its current range only, since no tick can lie inside the spacing it stands in. Bancor
and Carbon have no folder here and are counted.

Each row was written at its pool's last event that the bot saw. Whether it saw all until the newest row's block the file
cannot say, so a row is as of its own block, unless the command is told that the bot followed every event.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from headrace.adapters.market_files.foreign.converted import Converted, unix_seconds
from headrace.adapters.market_files.lines import VERSION, HeaderLine, PoolLine, TokenLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.kernels.tick_math import TICK_MAX, TICK_MIN
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue

_PIPS = 1_000_000
_PAIRS: Final = {"uniswap_v2": "uniswap_v2", "sushiswap_v2": "sushiswap"}  # their name, our venue
_TICKED: Final = {"uniswap_v3": "uniswap_v3"}
COLUMNS: Final = frozenset({"exchange_name", "last_updated_block", "tkn0_balance", "sqrt_price_q96", "tkn0_decimals"})
Row = Mapping[str, str]


def convert(contents: Sequence[bytes], *, is_current: bool) -> Converted:
    """The rows of such files; `is_current` says that every state still held at the newest row's block.

    Raises:
        KeyError: a column is missing.
        ValueError: a number or time is not of its form.
    """
    rows = [row for content in contents for row in csv.DictReader(io.StringIO(content.decode()))]
    newest = max(rows, key=lambda row: int(row["last_updated_block"]))
    number, skipped = int(newest["last_updated_block"]), Counter[str]()
    kept = []
    for row in rows:
        if row["exchange_name"] in _PAIRS.keys() | _TICKED.keys():
            kept.append(row)
        else:
            skipped[row["exchange_name"]] += 1
    return Converted(
        header=HeaderLine(
            version=VERSION,
            chain_id=1,
            number=number,
            timestamp=unix_seconds(newest["last_updated"]),
            source="fastlane-bot",
        ),
        tokens=_tokens(kept),
        pools=tuple(_pool(row, number if is_current else int(row["last_updated_block"]), number) for row in kept),
        skipped=skipped,
        notes=() if is_current else ("each state is as of its pool's last event that was seen",),
    )


def _tokens(rows: Sequence[Row]) -> tuple[TokenLine, ...]:
    found: dict[Address, TokenLine] = {}
    for row in rows:
        for side in ("tkn0", "tkn1"):
            address = Address(row[f"{side}_address"].lower())
            symbol = row[side].rpartition("-")[0] or row[side]
            found[address] = TokenLine(address=address, decimals=int(row[f"{side}_decimals"]), symbol=symbol)
    return tuple(found.values())


def _pool(row: Row, as_of: int, number: int) -> PoolLine:
    exchange = row["exchange_name"]
    is_pair = exchange in _PAIRS
    fee = int(Fraction(row["fee"]) * _PIPS) if is_pair else int(row["fee"])
    reserves: dict[str, JsonValue] = {"reserve0": row["tkn0_balance"], "reserve1": row["tkn1_balance"]}
    return PoolLine(
        id=PoolId(row["address"].lower()),
        protocol="uniswap_v2" if is_pair else "uniswap_v3",
        tokens=(Address(row["tkn0_address"].lower()), Address(row["tkn1_address"].lower())),
        state=RawDocument(reserves if is_pair else _current_range(row)),
        venue=(_PAIRS | _TICKED)[exchange],
        fee_pips=fee,
        as_of=None if as_of == number else as_of,
    )


def _current_range(row: Row) -> dict[str, JsonValue]:
    tick, spacing = int(row["tick"]), int(row["tick_spacing"])
    lower = max(tick // spacing * spacing, TICK_MIN)
    upper = min(lower + spacing, TICK_MAX)
    return {
        "sqrt_price_x96": row["sqrt_price_q96"],
        "tick": row["tick"],
        "liquidity": row["liquidity"],
        "tick_spacing": row["tick_spacing"],
        "ticks": {},
        "coverage": [str(lower), str(upper)],
    }
