"""Pools read from the PoolManager's storage: all of a pool in two rounds of a few calls.

The manager gives any of its storage slots by `extsload(bytes32[])`, many at once. A pool lies in the mapping at slot
6: its price, tick and fees in one word, its liquidity three words on, ticks and bitmap in mappings four and five words
on. So the first round asks for both words and for every word of the bitmap that a usable tick can stand in, the second
for the ticks that are marked there.

Calls carry at most `SLOTS_PER_CALL` slots (2.7 million gas when all are cold, which every node's limit allows), and
slots of all pools share them. Alone, a pool of spacing 10 or more takes 1 call and 1 for its ticks, one of spacing 1
takes 7 and 1.

Source: Uniswap v4 core 1.0.2, Extsload.sol, libraries/StateLibrary.sol, types/Slot0.sol.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from headrace.adapters.protocols.uniswap_v4.key import PoolKey
from headrace.adapters.protocols.uniswap_v4.keyring import Keyring
from headrace.adapters.protocols.uniswap_v4.state import (
    PROTOCOL,
    ProtocolFee,
    UniswapV4State,
    checked_state,
    unpacked_fee,
)
from headrace.adapters.protocols.words import array_at, call_data, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_bitmap import marked_ticks, word_indices
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.model.address import Address, Hash32, PoolId, keccak_hex
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

SLOTS_PER_CALL = 1_000
_CALLS_PER_BATCH = 100
_EXTSLOAD = "extsload(bytes32[])"
_ARRAY_OFFSET = 32
_POOLS_SLOT = 6
_LIQUIDITY_OFFSET = 3
_TICKS_OFFSET = 4
_BITMAP_OFFSET = 5
_WORD_BYTES = 32
_WORD_MODULUS = 1 << 256
_HALF_BITS = 128
_PRICE_BITS = 160
_FIELD_BITS = 24  # tick, protocol fee and fee stand above the price, 24 bits each
_ID = re.compile(r"0x[0-9a-f]{64}")


class PoolReader:
    """Reads pools whose keys a keyring knows or finds."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Tokens and fee of a pool, from its key; one without a price yet is described too.

        Raises:
            MalformedPoolError: the id is none, its key is nowhere to be had or is refused, or the manager is none.
            ChainError: the node failed.
        """
        if not _ID.fullmatch(pool):
            raise MalformedPoolError(pool, "id", "a pool's id is 32 bytes of lowercase hex")
        manager = self._keyring.manager_of(pool, venue)
        (key,) = await self._keyring.keys(chain, ((pool, venue),), block)
        (slot0,) = await _load(chain, pool, manager, (_base(pool),), block)
        _point_and_fee(pool, key, slot0, 0)
        return Pool(pool, manager, PROTOCOL, venue, (key.currency0, key.currency1), key.fee_pips)

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV4State, ...]:
        """States of many pools after `block`, parallel to `pools`.

        Raises:
            MalformedPoolError: a pool's key or state cannot be one of this protocol.
            ChainError: the node failed.
        """
        keys = dict(
            zip(pools, await self._keyring.keys(chain, [(one.id, one.venue) for one in pools], block), strict=True)
        )
        states: dict[Pool, UniswapV4State] = {}
        for manager in dict.fromkeys(pool.address for pool in pools):
            here = {pool: keys[pool] for pool in pools if pool.address == manager}
            states.update({state.pool: state for state in await _read_from(chain, manager, here, block)})
        return tuple(states[pool] for pool in pools)


async def _read_from(chain: Chain, manager: Address, keys: dict[Pool, PoolKey], block: Hash32) -> list[UniswapV4State]:
    first = next(iter(keys)).id
    slots = [slot for pool, key in keys.items() for slot in _pool_slots(pool.id, key.tick_spacing)]
    words = iter(await _load(chain, first, manager, slots, block))
    found = []
    for pool, key in keys.items():
        slot0, liquidity = islice(words, 2)
        point, fee = _point_and_fee(pool.id, key, slot0, liquidity)
        found.append((pool, key, point, fee, _marked(words, key.tick_spacing)))
    slots = [slot for pool, *_, ticks in found for slot in _tick_slots(pool.id, ticks)]
    words = iter(await _load(chain, first, manager, slots, block))
    states = []
    for pool, key, point, fee, ticks in found:
        table = TickTable(key.fee_pips, key.tick_spacing, {tick: _tick_liquidity(next(words)) for tick in ticks})
        states.append(checked_state(UniswapV4State(pool, key.hooks, fee, point, table)))
    return states


def _point_and_fee(pool: PoolId, key: PoolKey, slot0: int, liquidity: int) -> tuple[PricePoint, ProtocolFee]:
    price, rest = slot0 & (1 << _PRICE_BITS) - 1, slot0 >> _PRICE_BITS
    mask = (1 << _FIELD_BITS) - 1
    tick, packed, lp_fee = (rest >> shift * _FIELD_BITS & mask for shift in range(3))
    if not slot0:
        return PricePoint(0, 0, liquidity), ProtocolFee(0, 0)
    if lp_fee != key.fee_pips or rest >> 3 * _FIELD_BITS:
        raise MalformedPoolError(pool, "slot0", f"its fee is {lp_fee} pips, its key's {key.fee_pips}")
    signed_tick = tick - (1 << _FIELD_BITS) if tick >> _FIELD_BITS - 1 else tick
    return PricePoint(price, signed_tick, liquidity), unpacked_fee(packed)


def _tick_liquidity(word: int) -> TickLiquidity:
    net = word >> _HALF_BITS
    signed_net = net - (1 << _HALF_BITS) if net >> _HALF_BITS - 1 else net
    return TickLiquidity(word & (1 << _HALF_BITS) - 1, signed_net)


def _marked(words: Iterator[int], tick_spacing: int) -> list[int]:
    indices = word_indices(tick_spacing)
    marked = (marked_ticks(i, bits, tick_spacing) for i, bits in zip(indices, islice(words, len(indices)), strict=True))
    return [tick for ticks in marked for tick in ticks]


def _base(pool: PoolId) -> int:
    return _mapped(int(pool, 16), _POOLS_SLOT)


def _pool_slots(pool: PoolId, tick_spacing: int) -> Iterator[int]:
    base = _base(pool)
    yield base
    yield base + _LIQUIDITY_OFFSET
    for index in word_indices(tick_spacing):
        yield _mapped(index, base + _BITMAP_OFFSET)


def _tick_slots(pool: PoolId, ticks: Iterable[int]) -> Iterator[int]:
    ticks_at = _base(pool) + _TICKS_OFFSET
    return (_mapped(tick, ticks_at) for tick in ticks)


def _mapped(key: int, slot: int) -> int:
    """Where Solidity puts the entry of a mapping: keccak256 of key and slot, both as words."""
    key_word = (key % _WORD_MODULUS).to_bytes(_WORD_BYTES, "big")
    return int(keccak_hex(key_word + (slot % _WORD_MODULUS).to_bytes(_WORD_BYTES, "big")), 16)


async def _load(chain: Chain, pool: PoolId, manager: Address, slots: Sequence[int], block: Hash32) -> list[int]:
    chunks = [slots[i : i + SLOTS_PER_CALL] for i in range(0, len(slots), SLOTS_PER_CALL)]
    calls = [Call(manager, call_data(_EXTSLOAD, _ARRAY_OFFSET, len(chunk), *chunk)) for chunk in chunks]
    found: list[int] = []
    for start in range(0, len(calls), _CALLS_PER_BATCH):
        answers = await chain.call_many(calls[start : start + _CALLS_PER_BATCH], block)
        for answer, chunk in zip(answers, chunks[start : start + _CALLS_PER_BATCH], strict=True):
            found += _values(pool, answer, len(chunk))
    return found


def _values(pool: PoolId, answer: bytes | None, count: int) -> tuple[int, ...]:
    try:
        values = array_at(words_of_bytes(answer or b""), 0)
    except ValueError as error:
        raise MalformedPoolError(pool, "extsload", f"the manager does not answer like one ({error})") from error
    if len(values) != count:
        raise MalformedPoolError(pool, "extsload", f"{len(values)} slots instead of {count}")
    return values
