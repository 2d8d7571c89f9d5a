"""Calls of pools themselves: v2 pairs, v3 pools, Curve pools. They name no tokens, only directions and places.

A pair's `swap` says what it pays out; what it was paid stands in an earlier transfer. Curve's `exchange_underlying`
counts tokens that are not the pool's own, so its places say nothing here.

Source: v2-core 1.0.1, IUniswapV2Pair.sol; v3-core 1.0.1, IUniswapV3PoolActions.sol; Curve's published pools and its
documentation of StableSwap, StableSwap NG, CryptoSwap and TwoCrypto NG, each `exchange` with or without a receiver.
"""

from functools import partial

import msgspec

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import Called, Reader
from headrace.model.address import PoolId
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

_V2, _V3, _CURVE = ProtocolId("uniswap_v2"), ProtocolId("uniswap_v3"), ProtocolId("curve")
_PRICE_BITS = 160
_CURVE_TOKENS_BITS = 3  # Curve pools have at most eight tokens


class _CurveForm(msgspec.Struct, frozen=True):
    is_underlying: bool = False
    receiver_slot: int | None = None


def _read_pair(called: Called, arguments: Arguments) -> DecodedCall:
    """(amount of token 0 out, amount of token 1 out, recipient, data)."""
    out = (arguments.word(0), arguments.word(1))
    if out == (0, 0):
        raise ValueError("a pair's swap of nothing")
    is_one_sided = 0 in out
    index_out = int(out[0] == 0)
    hop = CalledHop(_V2, PoolId(called.to))
    if is_one_sided:  # else both come out and it depends on what is paid back
        hop = CalledHop(_V2, PoolId(called.to), index_in=1 - index_out, index_out=index_out)
    swap = SwapCall(
        via=called.to,
        function=called.function,
        hops=(hop,),
        is_exact_in=False,
        amount_in_units=None,
        amount_out_units=out[index_out] if is_one_sided else None,
        recipient=arguments.address(2),
    )
    return DecodedCall((swap,))


def _read_v3_pool(called: Called, arguments: Arguments) -> DecodedCall:
    """(recipient, whether token 0 is paid, paid or minus bought, price limit, data)."""
    index_in = 1 - arguments.bounded(1, 1)
    amount = arguments.signed(2)
    if amount == 0:
        raise ValueError("a pool's swap of nothing")
    swap = SwapCall(
        via=called.to,
        function=called.function,
        hops=(CalledHop(_V3, PoolId(called.to), index_in=index_in, index_out=1 - index_in),),
        is_exact_in=amount > 0,
        amount_in_units=amount if amount > 0 else None,
        amount_out_units=-amount if amount < 0 else None,
        recipient=arguments.address(0),
        sqrt_price_limit_x96=arguments.bounded(3, _PRICE_BITS),
    )
    return DecodedCall((swap,))


def _read_curve(form: _CurveForm, called: Called, arguments: Arguments) -> DecodedCall:
    """(place of what is paid, place of what is bought, paid, least bought, [...], [receiver])."""
    index_in, index_out = arguments.bounded(0, _CURVE_TOKENS_BITS), arguments.bounded(1, _CURVE_TOKENS_BITS)
    if index_in == index_out:
        raise ValueError("an exchange of a token for itself")
    hop = CalledHop(_CURVE, PoolId(called.to))
    if not form.is_underlying:
        hop = CalledHop(_CURVE, PoolId(called.to), index_in=index_in, index_out=index_out)
    swap = SwapCall(
        via=called.to,
        function=called.function,
        hops=(hop,),
        is_exact_in=True,
        amount_in_units=arguments.word(2),
        amount_out_units=arguments.word(3),
        recipient=called.sender if form.receiver_slot is None else arguments.address(form.receiver_slot),
    )
    return DecodedCall((swap,))


_PLAIN, _TO_FOUR, _TO_FIVE = _CurveForm(), _CurveForm(receiver_slot=4), _CurveForm(receiver_slot=5)
_UNDERLYING = _CurveForm(is_underlying=True)
_UNDERLYING_TO_FOUR = _CurveForm(is_underlying=True, receiver_slot=4)
_CURVE_FORMS = {
    "exchange(int128,int128,uint256,uint256)": _PLAIN,
    "exchange(int128,int128,uint256,uint256,address)": _TO_FOUR,
    "exchange(uint256,uint256,uint256,uint256)": _PLAIN,
    "exchange(uint256,uint256,uint256,uint256,address)": _TO_FOUR,
    "exchange(uint256,uint256,uint256,uint256,bool)": _PLAIN,
    "exchange(uint256,uint256,uint256,uint256,bool,address)": _TO_FIVE,
    "exchange_received(int128,int128,uint256,uint256)": _PLAIN,
    "exchange_received(int128,int128,uint256,uint256,address)": _TO_FOUR,
    "exchange_received(uint256,uint256,uint256,uint256)": _PLAIN,
    "exchange_received(uint256,uint256,uint256,uint256,address)": _TO_FOUR,
    "exchange_underlying(int128,int128,uint256,uint256)": _UNDERLYING,
    "exchange_underlying(int128,int128,uint256,uint256,address)": _UNDERLYING_TO_FOUR,
    "exchange_underlying(uint256,uint256,uint256,uint256)": _UNDERLYING,
    "exchange_underlying(uint256,uint256,uint256,uint256,address)": _UNDERLYING_TO_FOUR,
}
READERS: dict[str, Reader] = {
    "swap(uint256,uint256,address,bytes)": _read_pair,
    "swap(address,bool,int256,uint160,bytes)": _read_v3_pool,
    **{signature: partial(_read_curve, form) for signature, form in _CURVE_FORMS.items()},
}
