"""An opportunity on its way through the line: found, validated, planned, rehearsed.

Each stage takes only the type of the one before. `Validated` is built in `headrace.pipeline.validate` alone and
`Rehearsed` in `headrace.pipeline.rehearse` alone (a test reads the sources); neither is read back from a file.
"""

import msgspec

from headrace.model.account import Account, Reservation
from headrace.model.address import Address
from headrace.model.block import BlockContext, BlockRef
from headrace.model.engine import EngineRefused
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.route import Route
from headrace.model.transaction import UnsignedTransaction


class Opportunity(msgspec.Struct, frozen=True):
    """A route that looks profitable in floats; nothing about it is promised.

    Attributes:
        strategy: id of the strategy that found it.
        amount_in_units: best input in units of the first token, rounded down from a float.
        profit_estimate_units: float estimate of the gross profit, rounded down.
        edge_bps: gross edge of the cycle at the margin, in basis points, from floats.
        found_on: the snapshot's block.
        announced_ns: monotonic clock at the first frame that announced that block.
    """

    id: str
    strategy: str
    route: Route
    amount_in_units: int
    profit_estimate_units: int
    edge_bps: int
    found_on: BlockRef
    announced_ns: int


Source = tuple[str, Address]  # an engine and its lender, the zero address where there is none


class FundingOffer(msgspec.Struct, frozen=True):
    """A way to pay the first amount; `fee_units` is the lender's, rounded up as the lender does; gas is a table's."""

    funding: Funding
    lender: Address
    fee_units: int
    gas: int

    @property
    def source(self) -> Source:
        """Whose money it is."""
        return self.funding.engine, self.lender


class Validated(msgspec.Struct, frozen=True):
    """An opportunity that is real in exact integers and within the limits, until a block.

    Attributes:
        amounts_units: input, then the output of each hop; one more than there are hops.
        profit_units: last output less input less funding fee; what execution must realise when nothing intervenes.
        profit_min_units: least profit the contract accepts.
        gas_estimate: gas by the table, before any simulation.
        profit_native_wei: profit converted by an exact quote into the wrapped native token, before gas.
        net_native_wei_min: the configured least profit after gas, at the oracle's price of the native coin, rounded up.
        expires_block: last block in which it may execute.
        reservation: what it takes from the limits.
        is_for_one_block: whether a pool moves without logs, so that the quote holds in `context`'s block alone.
        engines_refused: the engines that were tried before this one for the same opportunity in the same block.
    """

    opportunity: Opportunity
    account: Account
    amounts_units: tuple[int, ...]
    profit_units: int
    profit_min_units: int
    funding: FundingOffer
    gas_estimate: int
    profit_native_wei: int
    net_native_wei_min: int
    context: BlockContext
    expires_block: int
    reservation: Reservation
    is_for_one_block: bool = False
    engines_refused: tuple[EngineRefused, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """How, exactly: one irrevocable act, the transaction still without nonce and final gas."""

    validated: Validated
    steps: ExecutorPlan
    transaction: UnsignedTransaction


class Rehearsed(msgspec.Struct, frozen=True):
    """A plan whose very transaction was decoded again and simulated on the block it stands on."""

    plan: Plan
    transaction: UnsignedTransaction
    gas_used_simulated: int
    profit_simulated_units: int
