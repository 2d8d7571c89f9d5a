"""Whose money moves, and what of it is spoken for."""

from typing import NewType

import msgspec

from headrace.model.address import Address, ChainId, PoolId

AccountId = NewType("AccountId", str)
Scope = NewType("Scope", str)  # what an exposure is counted by: "token:0x...", "venue:sushiswap", "strategy:spatial"
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
        loss_usd_micro: most that can be lost: the gas limit at the fee cap and `l1_fee_wei`, rounded up; nothing dearer
            is executed.
        native_usd_pico: 1e-12 dollars for a whole native coin when it was reserved; what gas cost is counted at it.
        pools: the pools on the route; plans in flight share none.
        scopes: what the trade is exposed to: each token and venue on its route, its chain, its strategy.
        l1_fee_wei: the part of it that gas may not use: what data on the first layer may cost, where that is paid for.
    """

    account: AccountId
    token: Address
    capital_units: int
    exposure_usd_micro: int
    loss_usd_micro: int
    native_usd_pico: int
    pools: tuple[PoolId, ...]
    scopes: tuple[Scope, ...] = ()
    l1_fee_wei: int = 0


def token_scope(token: Address) -> Scope:
    """Exposure to a token: all of a trade counts, for any token that it passes through."""
    return Scope(f"token:{token}")


def venue_scope(venue: str) -> Scope:
    """Exposure to an exchange, by its name in the configuration."""
    return Scope(f"venue:{venue}")


def strategy_scope(strategy: str) -> Scope:
    """Exposure taken on by a strategy."""
    return Scope(f"strategy:{strategy}")


def chain_scope(chain_id: ChainId) -> Scope:
    """Exposure on a chain."""
    return Scope(f"chain:{chain_id}")
