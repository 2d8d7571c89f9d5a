"""Pending transactions and swaps for tests, by small numbers."""

from headrace.model.address import Address, Hash32
from headrace.model.pending import PendingTransaction
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

ROUTER, UNKNOWN_ROUTER = (Address(f"0x{number:040x}") for number in (0xAA, 0xBB))


def transaction(
    number: int, *, nonce: int = 0, sender: int = 1, fees: tuple[int, int] = (10, 1), data: bytes = b""
) -> PendingTransaction:
    return PendingTransaction(
        hash=Hash32(f"0x{number:064x}"),
        sender=Address(f"0x{sender:040x}"),
        nonce=nonce,
        to=ROUTER,
        value_wei=0,
        data=data,
        max_fee_wei=fees[0],
        priority_fee_wei=fees[1],
    )


def swap_of(hops: tuple[CalledHop, ...], via: Address = ROUTER) -> SwapCall:
    return SwapCall(via, "swap()", hops, is_exact_in=True, amount_in_units=1, amount_out_units=1)


def call_of(hops: tuple[CalledHop, ...], via: Address = ROUTER) -> DecodedCall:
    return DecodedCall((swap_of(hops, via),))


def v2_hop(token_in: Address, token_out: Address) -> CalledHop:
    return CalledHop(ProtocolId("uniswap_v2"), token_in=token_in, token_out=token_out)
