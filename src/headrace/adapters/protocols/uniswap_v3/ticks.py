"""The initialised ticks of pools: by the lens, a handful of calls; where node or pool refuse it, call by call.

Call by call, every word of the bitmap that usable ticks can touch is asked for, then every tick whose bit is set: 36
words at a spacing of 200, 6,932 at one of 1. Questions of all pools go out together, in batches of a bounded size.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from headrace.adapters.protocols.tick_lens import read_page, ticks_call
from headrace.adapters.protocols.words import call_data, signed, signed_word, words_of_bytes
from headrace.errors import MalformedPoolError, RpcError
from headrace.kernels.tick_bitmap import marked_ticks, word_indices
from headrace.kernels.tick_table import TickLiquidity
from headrace.model.address import Address, Hash32, PoolId
from headrace.ports.chain import Call, Chain

Ticks = dict[int, TickLiquidity]
_BATCH_CALLS_MAX = 1_000
_BATCH_LENSES_MAX = 20
_LENS_WORDS_MAX = 2_500  # half of what fits 2^24 gas
_WORD_BYTES = 32
_INT128_BITS = 128
_TICK_BITMAP = call_data("tickBitmap(int16)")
_TICKS = call_data("ticks(int24)")
_TICKS_WORDS = 8


class SpacedPool(NamedTuple):
    """What must be known of a pool to find its ticks."""

    id: PoolId
    address: Address
    tick_spacing: int


async def initialised_ticks(chain: Chain, pools: Sequence[SpacedPool], block: Hash32) -> list[Ticks]:
    """All initialised ticks after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a pool's answers cannot be those of this protocol.
        ChainError: the node failed.
    """
    seen = await ticks_by_lens(chain, pools, block)
    rest = [pool for pool, ticks in zip(pools, seen, strict=True) if ticks is None]
    asked = iter(await ticks_call_by_call(chain, rest, block))
    return [next(asked) if ticks is None else ticks for ticks in seen]


async def ticks_by_lens(chain: Chain, pools: Sequence[SpacedPool], block: Hash32) -> list[Ticks | None]:
    """The same by the lens; None where it does not see.

    Raises:
        ChainError: the node failed otherwise than by refusing such calls.
    """
    seen: list[Ticks | None] = [{} for _ in pools]
    pending = [(i, words) for i, pool in enumerate(pools) for words in _parts(word_indices(pool.tick_spacing))]
    while pending:
        calls = [ticks_call(pools[i].address, pools[i].tick_spacing, words) for i, words in pending]
        try:
            answers = await ask(chain, calls, block, at_once=_BATCH_LENSES_MAX)
        except RpcError:
            return [None] * len(pools)
        following = []
        for (i, words), answer in zip(pending, answers, strict=True):
            page, ticks = read_page(answer), seen[i]
            if page is None or page.word_next not in range(words.start + 1, words.stop + 1):
                seen[i] = None
            elif ticks is not None:
                ticks.update(page.ticks)
                following.append((i, range(page.word_next, words.stop)))
        pending = [(i, words) for i, words in following if words and seen[i] is not None]
    return seen


async def ticks_call_by_call(chain: Chain, pools: Sequence[SpacedPool], block: Hash32) -> list[Ticks]:
    """The same by a call for each word and each tick.

    Raises:
        MalformedPoolError: a pool's answers cannot be those of this protocol.
        ChainError: the node failed.
    """
    words = [word_indices(pool.tick_spacing) for pool in pools]
    bitmap_calls = [
        Call(pool.address, _TICK_BITMAP + signed_word(word))
        for pool, indices in zip(pools, words, strict=True)
        for word in indices
    ]
    answers = iter(await ask(chain, bitmap_calls, block))
    found: list[list[int]] = []
    for pool, indices in zip(pools, words, strict=True):
        bitmaps = [answer_words(pool.id, "tickBitmap", answer, 1)[0] for answer in islice(answers, len(indices))]
        pairs = zip(indices, bitmaps, strict=True)
        found.append([tick for word, bits in pairs for tick in marked_ticks(word, bits, pool.tick_spacing)])
    tick_calls = [
        Call(pool.address, _TICKS + signed_word(tick))
        for pool, ticks in zip(pools, found, strict=True)
        for tick in ticks
    ]
    answers = iter(await ask(chain, tick_calls, block))
    return [
        {tick: _liquidity(pool.id, next(answers)) for tick in ticks} for pool, ticks in zip(pools, found, strict=True)
    ]


def _parts(words: range) -> Iterator[range]:
    for start in range(words.start, words.stop, _LENS_WORDS_MAX):
        yield range(start, min(start + _LENS_WORDS_MAX, words.stop))


async def ask(
    chain: Chain, calls: Sequence[Call], block: Hash32, *, at_once: int = _BATCH_CALLS_MAX
) -> list[bytes | None]:
    """Many calls in batches of a bounded size, None for each that reverts.

    Raises:
        ChainError: the node failed.
    """
    answers: list[bytes | None] = []
    for start in range(0, len(calls), at_once):
        answers += await chain.call_many(calls[start : start + at_once], block)
    return answers


def _liquidity(pool: PoolId, answer: bytes | None) -> TickLiquidity:
    gross, net, *_ = answer_words(pool, "ticks", answer, _TICKS_WORDS)
    if gross >> _INT128_BITS:
        raise MalformedPoolError(pool, "ticks", f"gross liquidity {gross} is not an unsigned 128-bit number")
    return TickLiquidity(gross, signed(net))


def answer_words(pool: PoolId, field: str, answer: bytes | None, count: int) -> tuple[int, ...]:
    """An answer of exactly `count` words.

    Raises:
        MalformedPoolError: it reverted, or has another length.
    """
    if answer is None:
        raise MalformedPoolError(pool, field, "the call reverts")
    if len(answer) != count * _WORD_BYTES:
        raise MalformedPoolError(pool, field, f"the answer has {len(answer)} bytes, not {count * _WORD_BYTES}")
    return words_of_bytes(answer)
