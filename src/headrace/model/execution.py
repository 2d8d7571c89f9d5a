"""One execution as a trader reads it: what was quoted before sending, what the chain says happened."""

import msgspec

from headrace.model.address import Address, Hash32
from headrace.model.intent import IntentStatus

UNEXPLAINED = "unexplained"  # a replay succeeds, and no log shows who came before
WOULD_FAIL = "it would fail"  # a rehearsal on a newer block, of what waited
NOT_FOUND = "not found"  # the node could not be asked


def is_explained(cause: str) -> bool:
    """Whether a revert's cause names one."""
    return bool(cause) and not cause.startswith((UNEXPLAINED, NOT_FOUND))


class Fill(msgspec.Struct, frozen=True):
    """What one transaction moved of one token, from its receipt's Transfer logs; negative when it was given."""

    token: Address
    delta_units: int


class Execution(msgspec.Struct, frozen=True):
    """An intent's whole story.

    Attributes:
        route: venue and token names, for people.
        is_clean: no log of a pool on the route lies between the quoted block's end and this transaction; decided from
            the chain's logs. None while the transaction is in no block.
        realised_profit_units: the profit token's Fill; None where nothing landed.
        net_profit_native_wei: realised profit at the quote's conversion, less what gas cost.
        slippage_bps: (quoted - realised) / quoted, rounded half up; negative when more was realised.
        latency_ms: from the first frame that announced the quoted block to the node's acceptance.
        cause: why it reverted, or was cancelled.
        engines_refused: what was tried before `engine` in the same block, and what stopped it, in words.
    """

    intent_id: str
    opportunity_id: str
    strategy: str
    engine: str
    route: str
    pools: tuple[str, ...]
    profit_token: Address
    amount_in_units: int
    quoted_profit_units: int
    quoted_block: int
    status: IntentStatus
    tx_hash: Hash32 | None = None
    block_number: int | None = None
    is_clean: bool | None = None
    realised_profit_units: int | None = None
    net_profit_native_wei: int = 0
    gas_used: int = 0
    gas_cost_wei: int = 0
    slippage_bps: int | None = None
    latency_ms: float | None = None
    cause: str = ""
    fills: tuple[Fill, ...] = ()
    engines_refused: tuple[str, ...] = ()

    @property
    def deviation_units(self) -> int | None:
        """Realised less quoted; None where nothing landed."""
        return None if self.realised_profit_units is None else self.realised_profit_units - self.quoted_profit_units
