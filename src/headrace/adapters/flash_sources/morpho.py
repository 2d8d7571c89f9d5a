"""Flash loans of Morpho Blue: free, up to its balance, which holds the idle loans and all collateral.

It takes them back by an allowance, and bars nothing meanwhile. Source: Morpho
0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb, Morpho.sol: `flashLoan`.
"""

from collections.abc import Sequence

from headrace.adapters.flash_sources.liquidity import read_balances
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Chain

_GAS = 30_000  # contracts/README.md


class MorphoFlashLoan:
    """Morpho as a lender of the configured tokens."""

    funding = Funding.MORPHO_FLASH_LOAN
    gas = _GAS

    def __init__(self, morpho: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = morpho
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Never: its loans bar no swap."""
        return False

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """Nothing."""
        return 0 if amount_units <= self._available.get(token, 0) else None

    def why_closed(self, token: Address) -> str:  # noqa: ARG002 - port
        """Nothing forbids a loan: there is no pause."""
        return ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read what it holds."""
        balances = await read_balances(chain, [(token, self.lender) for token in self._tokens], block)
        self._available = {token: units for (token, _), units in balances.items()}
