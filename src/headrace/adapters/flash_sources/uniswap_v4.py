"""Loans of the Uniswap v4 PoolManager: free, up to its balance.

Whoever unlocks the manager may take tokens (`take`) and must have paid them back (`sync`, `settle`) before it locks
again. It cannot be unlocked twice at once, so no plan that trades through the same manager can borrow from it. It keeps
its accounts in 128 signed bits, which bounds a loan of whatever it holds.

Source: PoolManager 0x000000000004444c5dc75cB358380D2e3dE08A90, PoolManager.sol: `unlock`, `take`, `_settle`.
"""

from collections.abc import Sequence

from headrace.adapters.flash_sources.liquidity import read_balances
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Chain

_LOAN_UNITS_MAX = (1 << 127) - 1
_GAS = 27_000  # contracts/README.md


class UniswapV4FlashLoan:
    """One manager as a lender of the configured tokens."""

    funding = Funding.UNISWAP_V4_FLASH_LOAN
    gas = _GAS

    def __init__(self, manager: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = manager
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Whether a step trades through the manager."""
        return self.lender in venues

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """Nothing."""
        return 0 if amount_units <= self._available.get(token, 0) else None

    def why_closed(self, token: Address) -> str:  # noqa: ARG002 - port
        """Nothing forbids a loan: the manager has no pause."""
        return ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read the manager's balances."""
        balances = await read_balances(chain, [(token, self.lender) for token in self._tokens], block)
        self._available = {token: min(units, _LOAN_UNITS_MAX) for (token, _), units in balances.items()}
