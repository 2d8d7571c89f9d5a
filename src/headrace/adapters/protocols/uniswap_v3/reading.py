"""A pool read from its own contract: constants once, then price and initialised ticks (`ticks`) at a block."""

from collections.abc import Sequence
from itertools import islice

from headrace.adapters.protocols.uniswap_v3.state import PROTOCOL, TICK_SPACING_MAX, UniswapV3State, checked_state
from headrace.adapters.protocols.uniswap_v3.ticks import SpacedPool, answer_words, ask, initialised_ticks
from headrace.adapters.protocols.words import address_of, call_data, signed
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_WORD_BYTES = 32
_ADDRESS_BITS = 160
_TOKEN0 = call_data("token0()")
_TOKEN1 = call_data("token1()")
_FEE = call_data("fee()")
_TICK_SPACING = call_data("tickSpacing()")
_SLOT0 = call_data("slot0()")
_LIQUIDITY = call_data("liquidity()")
_GLOBAL_STATE = call_data("globalState()")
_CURRENT_FEE = call_data("currentFee()")
_SLOT0_WORDS = 7
_SLIPSTREAM_SLOT0_WORDS = 6  # without the protocol's share of the fee
_GLOBAL_STATE_WORDS_MIN = 6


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Tokens and fee of a pool.

    Raises:
        MalformedPoolError: the contract does not answer like a pool of this protocol, or is one of its relatives that
            compute otherwise, which the message names.
        ChainError: the node failed.
    """
    address = Address(pool)
    _refuse_relatives(
        pool, await chain.call_many([Call(address, data) for data in (_SLOT0, _GLOBAL_STATE, _CURRENT_FEE)], block)
    )
    calls = [Call(address, data) for data in (_TOKEN0, _TOKEN1, _FEE, _TICK_SPACING)]
    answers = await chain.call_many(calls, block)
    token0, token1, fee, spacing = (
        answer_words(pool, name, answer, 1)[0]
        for name, answer in zip(("token0", "token1", "fee", "tickSpacing"), answers, strict=True)
    )
    if max(token0, token1) >> _ADDRESS_BITS or not 0 < token0 < token1:
        raise MalformedPoolError(pool, "token0", "the tokens are not two addresses in ascending order")
    if fee >= FEE_DENOMINATOR:
        raise MalformedPoolError(pool, "fee", f"{fee} pips is not below {FEE_DENOMINATOR}")
    if not 1 <= spacing <= TICK_SPACING_MAX:
        raise MalformedPoolError(pool, "tickSpacing", f"{spacing} is not between 1 and {TICK_SPACING_MAX}")
    return Pool(pool, address, PROTOCOL, venue, (address_of(token0), address_of(token1)), fee)


def _refuse_relatives(pool_id: PoolId, answers: Sequence[bytes | None]) -> None:
    """Pools that look alike and whose fee moves without a log of this protocol.

    Raises:
        MalformedPoolError: it is one of them.
    """
    slot0, global_state, current_fee = (answer or b"" for answer in answers)
    if len(global_state) >= _GLOBAL_STATE_WORDS_MIN * _WORD_BYTES:
        raise MalformedPoolError(pool_id, "globalState", "it is an Algebra pool, whose fee moves: not supported")
    if len(slot0) == _SLIPSTREAM_SLOT0_WORDS * _WORD_BYTES:
        why = "it is a Slipstream pool, whose fee a module of its factory sets: not supported"
        raise MalformedPoolError(pool_id, "slot0", why)
    if any(current_fee):
        why = "it is a pool of Ramses' kind, whose fee is set anew at any time: not supported"
        raise MalformedPoolError(pool_id, "currentFee", why)


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV3State, ...]:
    """States of many pools after `block`.

    Raises:
        MalformedPoolError: a pool's answers cannot be those of this protocol.
        ChainError: the node failed.
    """
    calls = [Call(pool.address, data) for pool in pools for data in (_SLOT0, _LIQUIDITY, _TICK_SPACING)]
    answers = iter(await ask(chain, calls, block))
    points, spacings = [], []
    for pool in pools:
        slot0, liquidity, spacing = islice(answers, 3)
        price, tick, *_ = answer_words(pool.id, "slot0", slot0, _SLOT0_WORDS)
        points.append(PricePoint(price, signed(tick), answer_words(pool.id, "liquidity", liquidity, 1)[0]))
        spacings.append(_spacing(pool, spacing))
    spaced = [SpacedPool(pool.id, pool.address, spacing) for pool, spacing in zip(pools, spacings, strict=True)]
    ticks = await initialised_ticks(chain, spaced, block)
    return tuple(
        checked_state(UniswapV3State(pool, point, TickTable(pool.fee_pips, spacing, entries)))
        for pool, point, spacing, entries in zip(pools, points, spacings, ticks, strict=True)
    )


def _spacing(pool: Pool, answer: bytes | None) -> int:
    spacing = answer_words(pool.id, "tickSpacing", answer, 1)[0]
    if not 1 <= spacing <= TICK_SPACING_MAX:
        raise MalformedPoolError(pool.id, "tickSpacing", f"{spacing} is not between 1 and {TICK_SPACING_MAX}")
    return spacing
