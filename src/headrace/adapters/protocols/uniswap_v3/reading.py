"""A pool read from its own contract: constants once, then price, bitmap and initialised ticks at a block.

Every word of the bitmap that usable ticks can touch is asked for, then every tick whose bit is set: 36 words for a
spacing of 200, 6,932 for a spacing of 1. Questions of all pools go out together, in batches of a bounded size.
"""

from collections.abc import Sequence
from itertools import islice

from headrace.adapters.protocols.uniswap_v3.state import TICK_SPACING_MAX, UniswapV3State, state_flaw
from headrace.adapters.protocols.words import address_of, call_data, signed, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_bitmap import marked_ticks, word_indices
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Call, Chain

PROTOCOL = ProtocolId("uniswap_v3")
_BATCH_CALLS_MAX = 1_000
_WORD_BYTES = 32
_ADDRESS_BITS = 160
_WORD_MODULUS = 1 << 256
_INT128_BITS = 128


_TOKEN0 = call_data("token0()")
_TOKEN1 = call_data("token1()")
_FEE = call_data("fee()")
_TICK_SPACING = call_data("tickSpacing()")
_SLOT0 = call_data("slot0()")
_LIQUIDITY = call_data("liquidity()")
_TICK_BITMAP = call_data("tickBitmap(int16)")
_TICKS = call_data("ticks(int24)")
_GLOBAL_STATE = call_data("globalState()")
_CURRENT_FEE = call_data("currentFee()")
_SLOT0_WORDS = 7
_SLIPSTREAM_SLOT0_WORDS = 6  # without the protocol's share of the fee
_GLOBAL_STATE_WORDS_MIN = 6


async def describe(chain: Chain, venue: str, pool_id: PoolId, block: Hash32) -> Pool:
    """Tokens and fee of a pool.

    Raises:
        MalformedPoolError: the contract does not answer like a pool of this protocol, or is one of its relatives that
            compute otherwise, which the message names.
        ChainError: the node failed.
    """
    address = Address(pool_id)
    _refuse_relatives(
        pool_id, await chain.call_many([Call(address, data) for data in (_SLOT0, _GLOBAL_STATE, _CURRENT_FEE)], block)
    )
    calls = [Call(address, data) for data in (_TOKEN0, _TOKEN1, _FEE, _TICK_SPACING)]
    answers = await chain.call_many(calls, block)
    token0, token1, fee, spacing = (
        _words(pool_id, name, answer, 1)[0]
        for name, answer in zip(("token0", "token1", "fee", "tickSpacing"), answers, strict=True)
    )
    if max(token0, token1) >> _ADDRESS_BITS or not 0 < token0 < token1:
        raise MalformedPoolError(pool_id, "token0", "the tokens are not two addresses in ascending order")
    if fee >= FEE_DENOMINATOR:
        raise MalformedPoolError(pool_id, "fee", f"{fee} pips is not below {FEE_DENOMINATOR}")
    if not 1 <= spacing <= TICK_SPACING_MAX:
        raise MalformedPoolError(pool_id, "tickSpacing", f"{spacing} is not between 1 and {TICK_SPACING_MAX}")
    return Pool(pool_id, address, PROTOCOL, venue, (address_of(token0), address_of(token1)), fee)


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
    answers = iter(await _ask(chain, calls, block))
    points, spacings = [], []
    for pool in pools:
        slot0, liquidity, spacing = islice(answers, 3)
        price, tick, *_ = _words(pool.id, "slot0", slot0, _SLOT0_WORDS)
        points.append(PricePoint(price, signed(tick), _words(pool.id, "liquidity", liquidity, 1)[0]))
        spacings.append(_spacing(pool, spacing))
    ticks = await _initialised_ticks(chain, pools, spacings, block)
    return tuple(
        _state(pool, point, TickTable(pool.fee_pips, spacing, entries))
        for pool, point, spacing, entries in zip(pools, points, spacings, ticks, strict=True)
    )


async def _initialised_ticks(
    chain: Chain, pools: Sequence[Pool], spacings: Sequence[int], block: Hash32
) -> list[dict[int, TickLiquidity]]:
    words = [word_indices(spacing) for spacing in spacings]
    bitmap_calls = [
        Call(pool.address, _TICK_BITMAP + _argument(word))
        for pool, indices in zip(pools, words, strict=True)
        for word in indices
    ]
    answers = iter(await _ask(chain, bitmap_calls, block))
    found: list[list[int]] = []
    for pool, indices, spacing in zip(pools, words, spacings, strict=True):
        bitmaps = [_words(pool.id, "tickBitmap", answer, 1)[0] for answer in islice(answers, len(indices))]
        found.append(
            [tick for word, bits in zip(indices, bitmaps, strict=True) for tick in marked_ticks(word, bits, spacing)]
        )
    tick_calls = [
        Call(pool.address, _TICKS + _argument(tick)) for pool, ticks in zip(pools, found, strict=True) for tick in ticks
    ]
    answers = iter(await _ask(chain, tick_calls, block))
    return [
        {tick: _tick_liquidity(pool, next(answers)) for tick in ticks} for pool, ticks in zip(pools, found, strict=True)
    ]


async def _ask(chain: Chain, calls: Sequence[Call], block: Hash32) -> list[bytes | None]:
    answers: list[bytes | None] = []
    for start in range(0, len(calls), _BATCH_CALLS_MAX):
        answers += await chain.call_many(calls[start : start + _BATCH_CALLS_MAX], block)
    return answers


def _state(pool: Pool, point: PricePoint, table: TickTable) -> UniswapV3State:
    flaw = state_flaw(point, table)
    if flaw is not None:
        raise MalformedPoolError(pool.id, flaw.field, flaw.why)
    return UniswapV3State(pool, point, table)


def _spacing(pool: Pool, answer: bytes | None) -> int:
    spacing = _words(pool.id, "tickSpacing", answer, 1)[0]
    if not 1 <= spacing <= TICK_SPACING_MAX:
        raise MalformedPoolError(pool.id, "tickSpacing", f"{spacing} is not between 1 and {TICK_SPACING_MAX}")
    return spacing


def _tick_liquidity(pool: Pool, answer: bytes | None) -> TickLiquidity:
    gross, net, *_ = _words(pool.id, "ticks", answer, 8)
    if gross >> _INT128_BITS:
        raise MalformedPoolError(pool.id, "ticks", f"gross liquidity {gross} is not an unsigned 128-bit number")
    return TickLiquidity(gross, signed(net))


def _words(pool_id: PoolId, field: str, answer: bytes | None, count: int) -> tuple[int, ...]:
    if answer is None:
        raise MalformedPoolError(pool_id, field, "the call reverts")
    if len(answer) != count * _WORD_BYTES:
        raise MalformedPoolError(pool_id, field, f"the answer has {len(answer)} bytes, not {count * _WORD_BYTES}")
    return words_of_bytes(answer)


def _argument(value: int) -> bytes:
    return (value % _WORD_MODULUS).to_bytes(_WORD_BYTES, "big")
