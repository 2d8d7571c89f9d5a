"""Trying a transaction without sending it."""

from collections.abc import Awaitable
from typing import Protocol

from headrace.model.address import Hash32
from headrace.model.block import BlockContext
from headrace.model.transaction import SimulationResult, UnsignedTransaction


class Simulator(Protocol):
    """Runs one transaction on the state after `parent`, in the block that `at` describes."""

    def simulate(
        self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext
    ) -> Awaitable[SimulationResult]:
        """What it would do; a revert is a result, not an error.

        The node is at work when this returns; awaiting gives the result. Await it exactly once.

        Raises:
            ChainError: the node failed or does not hold `parent`'s state.
        """
        ...

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """What a mined transaction did, run again behind the earlier ones of its own block.

        None where the node cannot tell: it does not know the block, or simulates single transactions only.

        Raises:
            ChainError: the node failed or does not hold the state before the block.
        """
        ...
