"""Uniswap v2's Router02 and its forks, and the v2 half of SwapRouter02.

All functions are one: two amounts, of which the coin's is the transaction's value, a path of tokens, who gets the
output, a deadline. Those "SupportingFeeOnTransferTokens" ask the same of the router and promise less of the tokens.

Source: v2-periphery 1.1.0-beta.0, IUniswapV2Router02.sol; swap-router-contracts 1.3.1, IV2SwapRouter.sol, in which 0
paid means the router's balance and the recipients 1 and 2 the caller and the router.
"""

from functools import partial
from itertools import pairwise

import msgspec

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import Called, Reader, require_hops
from headrace.model.address import Address
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

_PROTOCOL = ProtocolId("uniswap_v2")
_CALLER, _ROUTER = Address(f"0x{1:040x}"), Address(f"0x{2:040x}")


class _Form(msgspec.Struct, frozen=True):
    is_exact_in: bool
    pays_value: bool = False
    is_router02: bool = False  # no deadline, and names for recipients and balances


def v2_hops(path: tuple[Address, ...]) -> tuple[CalledHop, ...]:
    """The pairs between the tokens of a path.

    Raises:
        ValueError: fewer than two tokens, too many, or one twice in a row.
    """
    return require_hops(tuple(CalledHop(_PROTOCOL, token_in=a, token_out=b) for a, b in pairwise(path)))


def named_recipient(recipient: Address, sender: Address) -> Address | None:
    """Who is meant by a recipient of the newer routers: 1 is the caller, 2 the router itself, which is None here."""
    return {_CALLER: sender, _ROUTER: None}.get(recipient, recipient)


def _read(form: _Form, called: Called, arguments: Arguments) -> DecodedCall:
    if form.pays_value:  # one amount is the value, so there is an argument less
        paid, bought, slot = called.value_wei, arguments.word(0), 1
    else:
        first, second, slot = arguments.word(0), arguments.word(1), 2
        paid, bought = (first, second) if form.is_exact_in else (second, first)
    recipient = arguments.address(slot + 1)
    swap = SwapCall(
        via=called.to,
        function=called.function,
        hops=v2_hops(arguments.addresses(slot)),
        is_exact_in=form.is_exact_in,
        amount_in_units=None if form.is_router02 and form.is_exact_in and paid == 0 else paid,
        amount_out_units=bought,
        recipient=named_recipient(recipient, called.sender) if form.is_router02 else recipient,
        deadline=None if form.is_router02 else arguments.word(slot + 2),
    )
    return DecodedCall((swap,))


_IN, _OUT = _Form(is_exact_in=True), _Form(is_exact_in=False)
_VALUE_IN, _VALUE_OUT = _Form(is_exact_in=True, pays_value=True), _Form(is_exact_in=False, pays_value=True)
_IN_02, _OUT_02 = _Form(is_exact_in=True, is_router02=True), _Form(is_exact_in=False, is_router02=True)
_TOKENS = "(uint256,uint256,address[],address,uint256)"
_VALUE = "(uint256,address[],address,uint256)"
_TOKENS_02 = "(uint256,uint256,address[],address)"
_FORMS = {
    "swapExactTokensForTokens" + _TOKENS: _IN,
    "swapExactTokensForETH" + _TOKENS: _IN,
    "swapExactTokensForTokensSupportingFeeOnTransferTokens" + _TOKENS: _IN,
    "swapExactTokensForETHSupportingFeeOnTransferTokens" + _TOKENS: _IN,
    "swapTokensForExactTokens" + _TOKENS: _OUT,
    "swapTokensForExactETH" + _TOKENS: _OUT,
    "swapExactETHForTokens" + _VALUE: _VALUE_IN,
    "swapExactETHForTokensSupportingFeeOnTransferTokens" + _VALUE: _VALUE_IN,
    "swapETHForExactTokens" + _VALUE: _VALUE_OUT,
    "swapExactTokensForTokens" + _TOKENS_02: _IN_02,
    "swapTokensForExactTokens" + _TOKENS_02: _OUT_02,
}
READERS: dict[str, Reader] = {signature: partial(_read, form) for signature, form in _FORMS.items()}
