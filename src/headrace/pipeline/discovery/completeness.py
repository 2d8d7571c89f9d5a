"""Whether a node left creations out, told by the factory's own running number where it has one.

Nodes do leave logs out: behind a load balancer one of them has not indexed the range, another has lost it, and all
answer an empty list. A gap in the numbers shows it, and what the factory counts shows it at the end.
"""

from collections.abc import Iterable

from headrace.errors import MissingLogsError
from headrace.model.creation import Creation


def require_consecutive(previous: int | None, creations: Iterable[Creation]) -> int | None:
    """The last of the ordinals, if each follows the one before; `previous` is the one before the first, if known.

    Raises:
        MissingLogsError: a creation is missing.
    """
    for creation in creations:
        if creation.ordinal is None:
            return None
        if previous is not None and creation.ordinal != previous + 1:
            raise MissingLogsError(
                f"pool {creation.pool} has the number {creation.ordinal} where {previous + 1} is next:"
                " the node leaves logs out; use another node"
            )
        previous = creation.ordinal
    return previous


def require_count(last: int | None, answer: bytes | None) -> None:
    """Nothing is missing behind the last ordinal, if the factory counts as many; an answer of another form is none.

    Raises:
        MissingLogsError: the factory made more.
    """
    if last is None or answer is None or len(answer) != 32:  # noqa: PLR2004 - a word
        return
    count = int.from_bytes(answer, "big")
    if count != last:
        raise MissingLogsError(
            f"the factory counts {count} pools, the last one found is number {last}:"
            " the node leaves logs out; use another node"
        )
