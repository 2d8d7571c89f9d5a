"""State to numbers: what the pair takes and gives, to the unit, and when it reverts.

The pair names its own output (`getAmountOut`), and the Executor's step asks it for exactly that. `swap` then reverts
for an output of 0, for one not below the reserve, where k would fall, and while the factory is paused.
"""

import msgspec

from headrace.adapters.protocols.solidly.state import SolidlyState
from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels import solidly
from headrace.kernels.shape import ConstantProduct, SolidlyStable
from headrace.model.address import Address
from headrace.model.block import BlockContext


def is_outdated(state: SolidlyState, block_number: int) -> bool:
    """Whether the factory may have changed fee or pause by the end of that block."""
    return state.read_at < block_number


def quote_out(state: SolidlyState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What the pair pays for exactly `amount_in`, rounded down.

    Raises:
        UnquotableError: the pair would revert, or its fee is not known for that block.
    """
    pair = _pair(state, token_in, token_out)
    _refuse(state, at.number)
    if amount_in <= 0:
        raise UnquotableError(state.pool.id, "the input is not positive (InsufficientInputAmount)")
    amount_out = solidly.amount_out(pair, amount_in)
    if amount_out is None:
        raise UnquotableError(state.pool.id, "its own arithmetic reverts at this amount")
    if amount_out == 0:
        raise UnquotableError(state.pool.id, "the output is less than one unit (InsufficientOutputAmount)")
    if not solidly.accepts(pair, amount_in, amount_out):
        raise UnquotableError(state.pool.id, "it does not take what it quotes at this amount (K)")
    return amount_out


def view_out(state: SolidlyState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What `getAmountOut` answers in that block, paused or not, whether or not `swap` would take it; may be 0.

    Raises:
        UnquotableError: it would revert, or its fee is not known for that block.
    """
    pair = _pair(state, token_in, token_out)
    _refuse(msgspec.structs.replace(state, is_paused=False), at.number)
    amount_out = solidly.amount_out(pair, amount_in) if amount_in >= 0 else None
    if amount_out is None:
        raise UnquotableError(state.pool.id, "its own arithmetic reverts at this amount")
    return amount_out


def quote_in(state: SolidlyState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """Least input whose `quote_out` reaches `amount_out`, within the bounds that the kernel states.

    Raises:
        UnquotableError: no input reaches it, or the pair's fee is not known for that block.
    """
    pair = _pair(state, token_in, token_out)
    _refuse(state, at.number)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive (InsufficientOutputAmount)")
    amount_in = solidly.amount_in(pair, amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out} of {pair.reserve_out}")
    return amount_in


def shape(state: SolidlyState, token_in: Address, token_out: Address) -> ConstantProduct | SolidlyStable:
    """The curve in floats; nothing comes out of an empty or paused pair."""
    pair = _pair(state, token_in, token_out)
    gamma = 1.0 - pair.fee / pair.fee_unit
    is_dead = pair.reserve_in == 0 or pair.reserve_out == 0 or state.is_paused
    reserve_in, reserve_out = (1.0, 0.0) if is_dead else (float(pair.reserve_in), float(pair.reserve_out))
    if not pair.is_stable:
        return ConstantProduct(reserve_in, reserve_out, gamma)
    return SolidlyStable(reserve_in, reserve_out, gamma, pair.scale_out / pair.scale_in)


def _refuse(state: SolidlyState, block_number: int) -> None:
    if is_outdated(state, block_number - 1):
        why = f"its fee was read after block {state.read_at} and may have changed since"
        raise UnansweredError(state.pool.id, why)
    if state.is_paused:
        raise UnquotableError(state.pool.id, "the factory is paused (IsPaused)")


def _pair(state: SolidlyState, token_in: Address, token_out: Address) -> solidly.SolidlyPair:
    is_first_in = is_zero_for_one(state.pool, token_in, token_out)
    reserves, scales = (state.reserve0, state.reserve1), state.terms.scales
    order = 1 if is_first_in else -1
    (reserve_in, reserve_out), (scale_in, scale_out) = reserves[::order], scales[::order]
    return solidly.SolidlyPair(
        reserve_in=reserve_in,
        reserve_out=reserve_out,
        scale_in=scale_in,
        scale_out=scale_out,
        fee=state.fee,
        fee_unit=state.terms.fee_source.unit,
        is_stable=state.terms.is_stable,
        root=state.terms.root,
        is_zero_for_one=is_first_in,
    )
