"""Whose money moves, and what of it is spoken for."""

from typing import NewType

import msgspec

from headrace.model.address import Address, ChainId, PoolId

AccountId = NewType("AccountId", str)
OWN_ACCOUNT = AccountId("own")


class Account(msgspec.Struct, frozen=True):
    """One owner of money on one chain: the key that signs (`operator`) and the contract that holds the capital."""

    id: AccountId
    chain_id: ChainId
    operator: Address
    executor: Address


class Reservation(msgspec.Struct, frozen=True):
    """What an intent takes from the limits until its outcome gives it back.

    Attributes:
        token: the token spent first.
        capital_units: own capital taken of that token, 0 when the amount is borrowed.
        exposure_usd_micro: size of the trade in millionths of a dollar, rounded up.
        loss_usd_micro: most that can be lost: the gas limit at the fee cap, rounded up; nothing dearer is executed.
        native_usd_pico: 1e-12 dollars for a whole native coin when it was reserved; what gas cost is counted at it.
        pools: the pools on the route; plans in flight share none.
    """

    account: AccountId
    token: Address
    capital_units: int
    exposure_usd_micro: int
    loss_usd_micro: int
    native_usd_pico: int
    pools: tuple[PoolId, ...]
