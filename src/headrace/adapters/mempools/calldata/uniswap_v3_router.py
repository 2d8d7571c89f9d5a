"""Uniswap v3's SwapRouter and SwapRouter02.

A path is packed: a token, then a fee of three bytes and a token for each pool. It is written from the token that is
given exactly, so an exact output's path begins with what is bought.

Source: v3-periphery 1.4.4, ISwapRouter.sol and Path.sol, in which recipient 0 is the router; swap-router-contracts
1.3.1, IV3SwapRouter.sol, in which 0 paid means the router's balance, recipient 1 the caller and 2 the router.
"""

from functools import partial

import msgspec

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import Called, Reader, require_hops
from headrace.adapters.mempools.calldata.uniswap_v2_router import named_recipient
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

_PROTOCOL = ProtocolId("uniswap_v3")
_ADDRESS_BYTES = 20
_STRIDE = 23  # a fee and a token
_FEE_BITS = 24
_PRICE_BITS = 160


class _Form(msgspec.Struct, frozen=True):
    is_exact_in: bool
    is_router02: bool


def v3_hops(path: bytes, *, is_exact_in: bool) -> tuple[CalledHop, ...]:
    """The pools of a packed path, from what is paid to what is bought.

    Raises:
        ValueError: it is not a token and one or more fees and tokens, or has too many.
    """
    if len(path) % _STRIDE != _ADDRESS_BYTES:
        raise ValueError(f"a path of {len(path)} bytes")
    places = range(0, len(path) - _ADDRESS_BYTES, _STRIDE)
    hops = tuple(_hop(path[i : i + _STRIDE + _ADDRESS_BYTES], is_exact_in=is_exact_in) for i in places)
    return require_hops(hops if is_exact_in else hops[::-1])


def _hop(part: bytes, *, is_exact_in: bool) -> CalledHop:
    first, last = Address("0x" + part[:_ADDRESS_BYTES].hex()), Address("0x" + part[_STRIDE:].hex())
    fee_pips = int.from_bytes(part[_ADDRESS_BYTES:_STRIDE], "big")
    token_in, token_out = (first, last) if is_exact_in else (last, first)
    return CalledHop(_PROTOCOL, token_in=token_in, token_out=token_out, fee_pips=fee_pips)


def _read_single(form: _Form, called: Called, arguments: Arguments) -> DecodedCall:
    """(token in, token out, fee, recipient, [deadline], given amount, limit, price limit)."""
    amounts = 4 if form.is_router02 else 5
    hop = CalledHop(
        _PROTOCOL,
        token_in=arguments.address(0),
        token_out=arguments.address(1),
        fee_pips=arguments.bounded(2, _FEE_BITS),
    )
    swap = _swap(form, called, require_hops((hop,)), (arguments.word(amounts), arguments.word(amounts + 1)))
    placed = msgspec.structs.replace(
        swap,
        recipient=_recipient(form, called, arguments.address(3)),
        deadline=None if form.is_router02 else arguments.word(4),
        sqrt_price_limit_x96=arguments.bounded(amounts + 2, _PRICE_BITS),
    )
    return DecodedCall((placed,))


def _read_path(form: _Form, called: Called, arguments: Arguments) -> DecodedCall:
    """(path, recipient, [deadline], given amount, limit)."""
    inner = arguments.inner(0)
    amounts = 2 if form.is_router02 else 3
    hops = v3_hops(inner.bytes_(0), is_exact_in=form.is_exact_in)
    swap = _swap(form, called, hops, (inner.word(amounts), inner.word(amounts + 1)))
    placed = msgspec.structs.replace(
        swap,
        recipient=_recipient(form, called, inner.address(1)),
        deadline=None if form.is_router02 else inner.word(2),
    )
    return DecodedCall((placed,))


def _swap(form: _Form, called: Called, hops: tuple[CalledHop, ...], amounts: tuple[int, int]) -> SwapCall:
    given, limit = amounts
    paid = None if form.is_router02 and form.is_exact_in and given == 0 else given
    return SwapCall(
        via=called.to,
        function=called.function,
        hops=hops,
        is_exact_in=form.is_exact_in,
        amount_in_units=paid if form.is_exact_in else limit,
        amount_out_units=limit if form.is_exact_in else given,
    )


def _recipient(form: _Form, called: Called, recipient: Address) -> Address | None:
    if form.is_router02:
        return named_recipient(recipient, called.sender)
    return None if recipient == ZERO_ADDRESS else recipient


_IN, _OUT = _Form(is_exact_in=True, is_router02=False), _Form(is_exact_in=False, is_router02=False)
_IN_02, _OUT_02 = _Form(is_exact_in=True, is_router02=True), _Form(is_exact_in=False, is_router02=True)
_SINGLE = "((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_SINGLE_02 = "((address,address,uint24,address,uint256,uint256,uint160))"
_PATH = "((bytes,address,uint256,uint256,uint256))"
_PATH_02 = "((bytes,address,uint256,uint256))"
READERS: dict[str, Reader] = {
    "exactInputSingle" + _SINGLE: partial(_read_single, _IN),
    "exactOutputSingle" + _SINGLE: partial(_read_single, _OUT),
    "exactInputSingle" + _SINGLE_02: partial(_read_single, _IN_02),
    "exactOutputSingle" + _SINGLE_02: partial(_read_single, _OUT_02),
    "exactInput" + _PATH: partial(_read_path, _IN),
    "exactOutput" + _PATH: partial(_read_path, _OUT),
    "exactInput" + _PATH_02: partial(_read_path, _IN_02),
    "exactOutput" + _PATH_02: partial(_read_path, _OUT_02),
}
