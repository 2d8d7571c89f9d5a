"""The few calls of a token that a trial makes."""

from headrace.adapters.protocols.words import call_data
from headrace.model.address import Address

DECIMALS = call_data("decimals()")
DEPOSIT = call_data("deposit()")


def balance_of(holder: Address) -> bytes:
    """`balanceOf(holder)`."""
    return call_data("balanceOf(address)", int(holder, 16))


def transfer(to: Address, amount: int) -> bytes:
    """`transfer(to, amount)`."""
    return call_data("transfer(address,uint256)", int(to, 16), amount)


def approve(spender: Address, amount: int) -> bytes:
    """`approve(spender, amount)`."""
    return call_data("approve(address,uint256)", int(spender, 16), amount)


def transfer_from(owner: Address, to: Address, amount: int) -> bytes:
    """`transferFrom(owner, to, amount)`."""
    return call_data("transferFrom(address,address,uint256)", int(owner, 16), int(to, 16), amount)
