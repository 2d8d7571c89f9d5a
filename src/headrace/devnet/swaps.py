"""Swaps as outsiders make them: through the public routers, from an unlocked account, as drafts of transactions."""

import msgspec

from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import account_address
from headrace.devnet.mirror import Venue
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.model.address import Address

_GIVEN_IN = 0
_GAS = {"uniswap_v2": 200_000, "uniswap_v3": 500_000, "balancer_v2": 250_000}
_V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
_V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_VAULT_SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"


class Bid(msgspec.Struct, frozen=True):
    """What a sender pays for gas; the chain orders a block by `max_fee_wei`."""

    max_fee_wei: int
    tip_wei: int


class Draft(msgspec.Struct, frozen=True):
    """A transaction without its nonce; `account` is the index of a test account, no `to` means a creation."""

    account: int
    data: str
    gas: int
    bid: Bid
    to: Address | None = None


class SwapRequest(msgspec.Struct, frozen=True):
    """An exact-input swap; indices of the pool's tokens, amounts in smallest units, 0 means no limit on v3's price."""

    index_in: int
    index_out: int
    amount_in: int
    amount_out_min: int
    sqrt_price_limit_x96: int = 0


def swap_draft(venue: Venue, request: SwapRequest, account: int, bid: Bid) -> Draft:
    """The swap as a transaction to the venue's public router."""
    protocol = venue.exchange.protocol
    if protocol == "uniswap_v2":
        data = _v2_data(venue, request, account_address(account))
    elif protocol == "uniswap_v3":
        data = _v3_data(venue, request, account_address(account))
    else:
        data = _vault_data(venue, request, account_address(account))
    return Draft(account, data, _GAS[protocol], bid, venue.exchange.router)


def _v2_data(venue: Venue, request: SwapRequest, sender: Address) -> str:
    path = (venue.pool.tokens[request.index_in], venue.pool.tokens[request.index_out])
    return encode_call(_V2_SWAP, request.amount_in, request.amount_out_min, path, sender, NO_DEADLINE)


def _v3_data(venue: Venue, request: SwapRequest, sender: Address) -> str:
    tokens = (venue.pool.tokens[request.index_in], venue.pool.tokens[request.index_out])
    amounts = (request.amount_in, request.amount_out_min, request.sqrt_price_limit_x96)
    return encode_call(_V3_SWAP, (*tokens, venue.pool.fee_pips, sender, NO_DEADLINE, *amounts))


def _vault_data(venue: Venue, request: SwapRequest, sender: Address) -> str:
    tokens = (venue.pool.tokens[request.index_in], venue.pool.tokens[request.index_out])
    single = (bytes.fromhex(venue.pool.id[2:]), _GIVEN_IN, *tokens, request.amount_in, b"")
    funds = (sender, False, sender, False)
    return encode_call(_VAULT_SWAP, single, funds, request.amount_out_min, NO_DEADLINE)
