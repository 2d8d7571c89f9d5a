"""What somebody wants of the market, and the part of it that one pass through the line serves."""

import msgspec

from headrace.model.account import AccountId
from headrace.model.address import Address


class Order(msgspec.Struct, frozen=True):
    """So much of one token for at least so much of another, by a block.

    An arbitrage is an order whose two tokens are the same and whose limit is above its input. `remaining_units` of the
    input are not served yet.
    """

    id: str
    account: AccountId
    token_in: Address
    token_out: Address
    amount_in_units: int
    amount_out_min_units: int
    deadline_block: int
    remaining_units: int


class Step(msgspec.Struct, frozen=True):
    """One slice of an order: one pass through the line and one irrevocable act. `sequence` counts from 0."""

    order: Order
    sequence: int
    amount_in_units: int
