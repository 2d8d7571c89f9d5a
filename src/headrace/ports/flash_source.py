"""Whoever lends for the length of one transaction."""

from typing import Protocol

from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Chain


class FlashSource(Protocol):
    """One lender: a vault, a pool or a market."""

    @property
    def funding(self) -> Funding:
        """Which callback the Executor expects."""
        ...

    @property
    def lender(self) -> Address:
        """The contract that lends."""
        ...

    @property
    def gas(self) -> int:
        """Gas that borrowing adds to a plan, from the contracts' measured table."""
        ...

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:
        """Whether a plan through these pools (of these contracts) could not also borrow here."""
        ...

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """What borrowing costs, rounded as the lender rounds; None where it cannot lend that much as last read."""
        ...

    def why_closed(self, token: Address) -> str:
        """Why it lends nothing of a token that it could lend, as last read; empty where nothing forbids it."""
        ...

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read what it can lend, off the hot path.

        Raises:
            ChainError: the node failed.
        """
        ...
