"""The market as one reader sees it: immutable, of one chain, at one block."""

from collections.abc import Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Generic, Self, TypeVar

from headrace.model.address import Address, PoolId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.model.token import Token

S_co = TypeVar("S_co", covariant=True)  # a reader only reads
_NONE_QUARANTINED: Mapping[int, str] = MappingProxyType({})
_ALL_CURRENT: Mapping[int, int] = MappingProxyType({})


class Snapshot(Generic[S_co]):
    """States of all pools at a block hash.

    The writer hands out a new snapshot for each block and never changes one it has handed out. `states` is parallel to
    `pools`; `changed` holds the indices that may differ from the snapshot handed out before. `quarantined` holds the
    indices of pools that must not be used, each with the reason; their state is a marker (`headrace.model.quarantine`).
    `outdated` holds the indices of pools whose state is of an earlier block and could not be read again: their protocol
    refuses to quote them.
    `as_of` holds the indices of pools whose state is only known to hold after an earlier block, with its number.
    """

    __slots__ = (
        "announced_ns",
        "as_of",
        "changed",
        "header",
        "index_of",
        "outdated",
        "pools",
        "quarantined",
        "states",
        "tokens",
    )

    def __init__(  # noqa: PLR0913 - the fields of the struct
        self,
        *,
        header: BlockHeader,
        announced_ns: int,
        pools: tuple[Pool, ...],
        states: Sequence[S_co],
        index_of: Mapping[PoolId, int],
        tokens: Mapping[Address, Token],
        changed: tuple[int, ...],
        quarantined: Mapping[int, str] = _NONE_QUARANTINED,
        outdated: frozenset[int] = frozenset(),
        as_of: Mapping[int, int] = _ALL_CURRENT,
    ) -> None:
        """Take the writer's tuples as they are."""
        self.header = header
        self.announced_ns = announced_ns
        self.pools = pools
        self.states = states
        self.index_of = index_of
        self.tokens = tokens
        self.changed = changed
        self.quarantined = quarantined
        self.outdated = outdated
        self.as_of = as_of

    def doubted(self, changed: tuple[int, ...], quarantined: Mapping[int, str]) -> Self:
        """The same market with more pools quarantined; this one stays as it is."""
        other = copy(self)
        other.changed, other.quarantined = changed, quarantined
        return other

    def pool(self, pool_id: PoolId) -> Pool:
        """The pool's constants."""
        return self.pools[self.index_of[pool_id]]

    def state(self, pool_id: PoolId) -> S_co:
        """The pool's state at this block."""
        return self.states[self.index_of[pool_id]]
