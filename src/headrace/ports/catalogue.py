"""Where what was discovered is kept between runs."""

from collections.abc import Sequence
from typing import Protocol

from headrace.model.block import BlockRef
from headrace.model.creation import Creation, Survey


class Catalogue(Protocol):
    """Creations of one factory, gathered without a gap from `first_block` to `last`. One process writes."""

    @property
    def first_block(self) -> int:
        """Where the gathering began."""
        ...

    @property
    def last(self) -> BlockRef | None:
        """The last block that has been gathered; None before the first."""
        ...

    @property
    def creations(self) -> Sequence[Creation]:
        """All of them, in the chain's order."""
        ...

    @property
    def malformed(self) -> Sequence[str]:
        """Events that could not be read."""
        ...

    def append(self, survey: Survey) -> None:
        """Keep the next range, whole or not at all; durable when this returns.

        Raises:
            CatalogueError: it cannot be written.
        """
        ...
