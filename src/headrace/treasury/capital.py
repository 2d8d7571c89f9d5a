"""What the Executor holds, and how much of it a new plan may take."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from headrace.model.account import Account
from headrace.model.address import Address, Hash32
from headrace.model.limits import allocated_down
from headrace.ports.chain import Call, Chain

_BALANCE_OF = bytes.fromhex("70a08231")  # balanceOf(address)
_WORD = 32


class CapitalTreasury:
    """Holdings of one account's executor at a block, read from the tokens themselves.

    What is not known is not there: a token whose `balanceOf` fails or answers nonsense counts as not held, and so does
    every token after a refresh that failed.
    """

    def __init__(
        self,
        account: Account,
        tokens: Sequence[Address],
        allocation_max: Fraction,
        reserved: Callable[[], Mapping[Address, int]],
    ) -> None:
        """Watch `tokens`; `reserved` tells what open intents have taken, `allocation_max` is the share that may be."""
        self._account = account
        self._tokens = tuple(tokens)
        self._allocation_max = allocation_max
        self._reserved = reserved
        self._held: Mapping[Address, int] = {}

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read every balance after `block`.

        Raises:
            ChainError: the node failed; nothing counts as held until a refresh succeeds.
        """
        self._held = {}
        owner = bytes(12) + bytes.fromhex(self._account.executor[2:])
        answers = await chain.call_many([Call(token, _BALANCE_OF + owner) for token in self._tokens], block)
        self._held = {
            token: int.from_bytes(answer)
            for token, answer in zip(self._tokens, answers, strict=True)
            if answer is not None and len(answer) == _WORD
        }

    def held_units(self, token: Address) -> int:
        """Units held of a token, reserved or not."""
        return self._held.get(token, 0)

    def available_units(self, token: Address) -> int:
        """What a new plan may take of a token: its allocated share, rounded down, less what is reserved; at least 0."""
        allocated = allocated_down(self.held_units(token), self._allocation_max)
        return max(allocated - self._reserved().get(token, 0), 0)
