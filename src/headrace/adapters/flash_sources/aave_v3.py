"""Simple flash loans of an Aave v3 pool: a premium in basis points, rounded half up, and the reserve's free liquidity.

Source: aave-v3-core FlashLoanLogic.executeFlashLoanSimple: `amount.percentMul(premium)`; PercentageMath rounds half up;
what can be lent is what the aToken contract holds of the underlying. Borrowing here locks no pool.

A reserve that is paused, not active, or not enabled for flash loans lends nothing: ValidationLogic
.validateFlashloanSimple asks these three bits of its configuration, in this order. A frozen one takes no deposits and
lends all the same. The bit that enables flash loans came with v3.0.1: a reserve of the very first release reads as not
enabled, and is not borrowed from.
"""

from collections.abc import Sequence

from headrace.adapters.flash_sources.liquidity import read_balances, read_words
from headrace.errors import MalformedAnswerError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Call, Chain

_FLASHLOAN_PREMIUM_TOTAL = bytes.fromhex("074b2e43")
_GET_RESERVE_DATA = bytes.fromhex("35ea6a75")
_CONFIGURATION_WORD = 0
_ACTIVE_BIT, _PAUSED_BIT, _FLASH_LOAN_ENABLED_BIT = 56, 60, 63  # ReserveConfiguration
_A_TOKEN_WORD = 8  # DataTypes.ReserveData: the ninth word
_BPS = 10_000
_GAS = 124_000  # contracts/README.md


class AaveV3FlashLoan:
    """One Aave pool as a lender of the configured tokens."""

    funding = Funding.AAVE_V3_FLASH_LOAN
    gas = _GAS

    def __init__(self, pool: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = pool
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}
        self._closed: dict[Address, str] = {}
        self._premium_bps = 0

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Never: its loans bar no swap."""
        return False

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """The premium, rounded half up."""
        if token in self._closed or amount_units > self._available.get(token, 0):
            return None
        return (amount_units * self._premium_bps + _BPS // 2) // _BPS

    def why_closed(self, token: Address) -> str:
        """What the reserve's configuration says; a token without a reserve is not closed, but not lent either."""
        return self._closed.get(token, "")

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read the premium, and what each reserve allows and holds; a token without a reserve cannot be borrowed."""
        calls = [
            Call(self.lender, _GET_RESERVE_DATA + bytes.fromhex(token[2:]).rjust(32, b"\0")) for token in self._tokens
        ]
        premium, *reserves = await read_words(chain, [Call(self.lender, _FLASHLOAN_PREMIUM_TOTAL), *calls], block)
        if any(len(words) <= _A_TOKEN_WORD for words in reserves):
            raise MalformedAnswerError("eth_call", f"{self.lender} does not answer getReserveData as an Aave v3 pool")
        holders = {
            token: Address(f"0x{words[_A_TOKEN_WORD]:040x}")
            for token, words in zip(self._tokens, reserves, strict=True)
            if words[_A_TOKEN_WORD]
        }
        balances = await read_balances(chain, list(holders.items()), block)
        self._available = {token: balance for (token, _), balance in balances.items()}
        self._premium_bps = premium[0]
        configured = {token: words[_CONFIGURATION_WORD] for token, words in zip(self._tokens, reserves, strict=True)}
        found = {token: _why_closed(configured[token]) for token in holders}
        self._closed = {token: f"the Aave reserve of {token} {why}" for token, why in found.items() if why}


def _why_closed(configuration: int) -> str:
    if configuration >> _PAUSED_BIT & 1:
        return "is paused"
    if not configuration >> _ACTIVE_BIT & 1:
        return "is not active"
    return "" if configuration >> _FLASH_LOAN_ENABLED_BIT & 1 else "is not enabled for flash loans"
