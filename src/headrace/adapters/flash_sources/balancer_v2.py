"""Flash loans of the Balancer v2 vault: free while the protocol's flash fee is zero.

During the callback the vault refuses every swap and join (its reentrancy guard, BAL#400), so no plan that trades
through the same vault can borrow from it. Source: Vault 0xBA12222222228d8Ba445958a75a0704d566BF2C8, FlashLoans.sol: the
fee is `amount.mulUp(getFlashLoanFeePercentage())` with 18 decimals.
"""

from collections.abc import Sequence

from headrace.adapters.flash_sources.liquidity import read_balances, read_words
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Call, Chain

_GET_PROTOCOL_FEES_COLLECTOR = bytes.fromhex("d2946c2b")
_GET_FLASH_LOAN_FEE_PERCENTAGE = bytes.fromhex("d877845c")
_ONE = 10**18
_GAS = 38_000  # contracts/README.md


class BalancerV2FlashLoan:
    """One vault as a lender of the configured tokens."""

    funding = Funding.BALANCER_V2_FLASH_LOAN
    gas = _GAS

    def __init__(self, vault: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = vault
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}
        self._fee_fraction = 0

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Whether a step trades through the vault."""
        return self.lender in venues

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """The vault's fee, rounded up."""
        if amount_units > self._available.get(token, 0):
            return None
        product = amount_units * self._fee_fraction
        return -(-product // _ONE)

    def why_closed(self, token: Address) -> str:  # noqa: ARG002 - port
        """What would forbid a loan is not read: the rehearsal finds it."""
        return ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read the vault's balances and its fee."""
        balances = await read_balances(chain, [(token, self.lender) for token in self._tokens], block)
        collector = await read_words(chain, [Call(self.lender, _GET_PROTOCOL_FEES_COLLECTOR)], block)
        address = Address(f"0x{collector[0][0]:040x}")
        fee = await read_words(chain, [Call(address, _GET_FLASH_LOAN_FEE_PERCENTAGE)], block)
        self._available = {token: balance for (token, _), balance in balances.items()}
        self._fee_fraction = fee[0][0]
