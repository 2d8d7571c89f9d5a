"""Loans of the Balancer v3 Vault: free, up to what its books say it holds.

Whoever unlocks the Vault may have tokens sent to him (`sendTo`) and must have paid them back (`settle`) before it locks
again. `sendTo` takes the amount off the Vault's own reserves, so what somebody merely sent to it cannot be lent.
`settle` credits how far the balance exceeds the reserves that are left: where the balance is below the reserves,
because the token itself has shrunk, no loan can be paid back, and nothing is lent.

An unlocked Vault may be unlocked again, so plans may trade through it as well. A step that lets it pay out the borrowed
token needs what the loan has left there: where loan and output are more than the reserves, the rehearsal reverts and
the next source of money is tried. A pause of the Vault stops neither of the two functions.

Source: Vault 0xbA1333333333a1BA1108E8412f11850A5C319bA9, Vault.sol: `transient`, `sendTo`, `settle`.
"""

from collections.abc import Sequence

from headrace.adapters.flash_sources.liquidity import read_balances, read_words, word_of
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Call, Chain

_GET_RESERVES_OF = bytes.fromhex("96787092")
_GAS = 32_000  # contracts/README.md


class BalancerV3FlashLoan:
    """One Vault as a lender of the configured tokens."""

    funding = Funding.BALANCER_V3_FLASH_LOAN
    gas = _GAS

    def __init__(self, vault: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = vault
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}
        self._short: frozenset[Address] = frozenset()

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Never: it may be unlocked again."""
        return False

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """Nothing."""
        return 0 if amount_units <= self._available.get(token, 0) else None

    def why_closed(self, token: Address) -> str:
        """That the balance is below the books."""
        return f"the Balancer v3 Vault holds less {token} than its books say" if token in self._short else ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read the Vault's books, and whether its balances cover them."""
        calls = [Call(self.lender, _GET_RESERVES_OF + word_of(token)) for token in self._tokens]
        reserves = [words[0] for words in await read_words(chain, calls, block)]
        balances = await read_balances(chain, [(token, self.lender) for token in self._tokens], block)
        booked = dict(zip(self._tokens, reserves, strict=True))
        self._short = frozenset(token for token, units in booked.items() if units > balances[token, self.lender])
        self._available = {token: units for token, units in booked.items() if token not in self._short}
