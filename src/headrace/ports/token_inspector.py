"""Whoever finds out whether a token is what it seems."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from headrace.model.address import Address
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.model.token_verdict import Lie


class Inspection(msgspec.Struct, frozen=True):
    """What a trial showed; without a lie and not fit: nothing could be shown, and `detail` says why."""

    is_fit: bool
    lie: Lie | None
    detail: str


class TokenInspector(Protocol):
    """Tries a token on the state after a block, without sending anything."""

    async def inspect(
        self, token: Address, pools: Sequence[Pool], money: Collection[Address], head: BlockHeader
    ) -> Inspection:
        """Buy, hold and sell `token` through some of the `pools` that pair it with a token of `money`.

        `money` are tokens known to be honest: what goes wrong is then the token's doing.

        Raises:
            ChainError: the node failed; nothing is known about the token.
        """
        ...
