"""State to numbers: what the pair takes and gives, to the unit, and when it reverts.

`UniswapV2Pair.swap` reverts for an output of 0, for an output not below its reserve, where a balance afterwards
exceeds 112 bits, and where the product of balances falls: the kernel's output is the largest for which it does not.
"""

from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.adapters.protocols.uniswap_v2.state import RESERVE_END, UniswapV2State
from headrace.errors import UnquotableError
from headrace.kernels import constant_product
from headrace.kernels.shape import ConstantProduct
from headrace.model.address import Address
from headrace.model.block import BlockContext


def quote_out(state: UniswapV2State, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """Most that the pair gives for exactly `amount_in`, rounded down.

    Raises:
        UnquotableError: the pair would revert.
    """
    del at  # a pair knows no time
    reserve_in, reserve_out = _reserves(state, token_in, token_out)
    if reserve_in and 0 < amount_in < RESERVE_END - reserve_in:
        amount_out = constant_product.amount_out(reserve_in, reserve_out, state.pool.fee_pips, amount_in)
        if amount_out:
            return amount_out
    raise UnquotableError(state.pool.id, _refusal(reserve_in, reserve_out, amount_in))


def quote_in(state: UniswapV2State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it.
    """
    del at  # a pair knows no time
    reserve_in, reserve_out = _reserves(state, token_in, token_out)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive (INSUFFICIENT_OUTPUT_AMOUNT)")
    amount_in = constant_product.amount_in(reserve_in, reserve_out, state.pool.fee_pips, amount_out)
    if amount_in is None or reserve_in == 0:
        raise UnquotableError(state.pool.id, f"it holds {reserve_out} (INSUFFICIENT_LIQUIDITY)")
    if reserve_in + amount_in >= RESERVE_END:
        raise UnquotableError(state.pool.id, "the balance would exceed 112 bits (OVERFLOW)")
    return amount_in


def shape(state: UniswapV2State, token_in: Address, token_out: Address) -> ConstantProduct:
    """The curve in floats; nothing comes out of an empty pair."""
    reserve_in, reserve_out = _reserves(state, token_in, token_out)
    gamma = 1.0 - state.pool.fee_pips / constant_product.PIPS
    if reserve_in == 0 or reserve_out == 0:
        return ConstantProduct(1.0, 0.0, gamma)
    return ConstantProduct(float(reserve_in), float(reserve_out), gamma)


def _refusal(reserve_in: int, reserve_out: int, amount_in: int) -> str:
    """Why the pair pays nothing for an input."""
    if amount_in <= 0:
        return "the input is not positive (INSUFFICIENT_INPUT_AMOUNT)"
    if reserve_in == 0 or reserve_out == 0:
        return "the pair is empty (INSUFFICIENT_LIQUIDITY)"
    if reserve_in + amount_in >= RESERVE_END:
        return "the balance would exceed 112 bits (OVERFLOW)"
    return "the output is less than one unit (INSUFFICIENT_OUTPUT_AMOUNT)"


def _reserves(state: UniswapV2State, token_in: Address, token_out: Address) -> tuple[int, int]:
    if is_zero_for_one(state.pool, token_in, token_out):
        return state.reserve0, state.reserve1
    return state.reserve1, state.reserve0
