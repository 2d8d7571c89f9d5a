"""Trying a transaction without sending it."""

from typing import Protocol

from headrace.model.address import Hash32
from headrace.model.block import BlockContext
from headrace.model.transaction import SimulationResult, UnsignedTransaction


class Simulator(Protocol):
    """Runs one transaction on the state after `parent`, in the block that `at` describes."""

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        """What it would do; a revert is a result, not an error.

        Raises:
            ChainError: the node failed or does not hold `parent`'s state.
        """
        ...
