"""Rows of the history that analysts read: opportunities that were taken on, and how each execution ended."""

import msgspec

from headrace.model.address import Address, ChainId, Hash32
from headrace.model.pending import RivalCounts


class OpportunityEntry(msgspec.Struct, frozen=True):
    """An opportunity that was validated and taken on.

    Attributes:
        detected_at: Unix seconds of the block it was found on.
        venues: in the order of the route.
        profit_units: quoted, net of lending fees and before gas, in units of `asset`.
        decimals: of `asset`.
        rivals: whose pending swaps touched its pools when it had been sent; None where that was not followed.
    """

    id: str
    chain_id: ChainId
    detected_at: int
    strategy: str
    venues: tuple[str, ...]
    asset: Address
    profit_units: int
    decimals: int
    block: int
    pools: tuple[str, ...]
    rivals: RivalCounts | None = None


class ExecutionEntry(msgspec.Struct, frozen=True):
    """How one execution ended.

    Attributes:
        executed_at: Unix seconds of the block it was recorded at.
        profit_units: realised by the receipt's Transfer logs, in units of `asset`; None where nothing landed.
        gas_cost_usd_micro: at the oracle's price, rounded up; None without a fresh one.
        hashes: every transaction of the intent that could have landed.
    """

    id: str
    opportunity_id: str
    chain_id: ChainId
    executed_at: int
    tx_hash: Hash32 | None
    hashes: tuple[Hash32, ...]
    asset: Address
    profit_units: int | None
    decimals: int
    gas_used: int
    gas_cost_wei: int
    gas_cost_usd_micro: int | None
    execution_time_ms: int | None
    status: str
    cause: str
    is_clean: bool | None
