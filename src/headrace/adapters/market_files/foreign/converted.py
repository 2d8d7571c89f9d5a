"""What an importer makes of a foreign file."""

from collections import Counter
from datetime import UTC, datetime

import msgspec

from headrace.adapters.market_files.lines import HeaderLine, PoolLine, TokenLine


class Converted(msgspec.Struct, frozen=True):
    """Lines of ours, and how many of their entries were left out, by reason; `notes` say what a reader should know."""

    header: HeaderLine
    tokens: tuple[TokenLine, ...]
    pools: tuple[PoolLine, ...]
    skipped: Counter[str]
    notes: tuple[str, ...] = ()


def unix_seconds(text: str) -> int:
    """An ISO time without a zone, taken as UTC, rounded down.

    Raises:
        ValueError: it is no such time.
    """
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
