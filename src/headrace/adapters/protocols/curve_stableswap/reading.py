"""Chain to state: a pool described once, by detection, and then read with many others in one round trip."""

import re
from collections.abc import Sequence

import msgspec

from headrace.adapters.protocols.curve_stableswap import detection
from headrace.adapters.protocols.curve_stableswap.access import Access, answered, questions
from headrace.adapters.protocols.curve_stableswap.detection import Identity
from headrace.adapters.protocols.curve_stableswap.state import (
    PROTOCOL,
    CurveStableswapState,
    RateSource,
    StableTerms,
    ViewForm,
    checked_terms,
)
from headrace.adapters.protocols.curve_stableswap.ways import tokens_of
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.stableswap import ProductRounding
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.pool import Pool
from headrace.ports.chain import Chain

_ID = re.compile(r"0x[0-9a-f]{40}")
_PRECISE, _PLAIN = 100, 1


class PoolReader:
    """Reads pools, of which each is asked once what it is and how it is read."""

    def __init__(self) -> None:
        self._known: dict[PoolId, Access] = {}

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Find out what kind of pool it is, and know how to read it from now on.

        Raises:
            MalformedPoolError: it is no StableSwap pool, or of a kind that cannot be told or paid.
            ChainError: the node failed.
        """
        access = await _describe(chain, venue, pool, block)
        self._known[pool] = access
        return access.pool

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[CurveStableswapState, ...]:
        """States after `block`, parallel to `pools`; a pool that was not described yet is described first.

        Raises:
            MalformedPoolError: a pool's state cannot be a StableSwap pool's.
            ChainError: the node failed.
        """
        for pool in pools:
            if pool.id not in self._known:
                await self.describe(chain, pool.venue, pool.id, block)
        accesses = [msgspec.structs.replace(self._known[pool.id], pool=pool) for pool in pools]
        return await _read(chain, accesses, block)


async def _describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Access:
    if not _ID.fullmatch(pool):
        raise MalformedPoolError(pool, "id", "a pool's id is its address in lowercase hex")
    header = await _header(chain, block)
    identity = await detection.identify(chain, pool, block)
    base = await _base(chain, venue, identity, header) if identity.base_pool is not None else None
    drafted = await _drafted(chain, venue, pool, identity, base, block)
    return await _examined(chain, drafted, identity.token, header)


async def _read(chain: Chain, accesses: Sequence[Access], block: Hash32) -> tuple[CurveStableswapState, ...]:
    header = await _header(chain, block)
    asked = [questions(access) for access in accesses]
    once = list(dict.fromkeys(call for calls in asked for call in calls))  # metapools share their base pools
    told = dict(zip(once, await chain.call_many(once, block), strict=True))
    return tuple(
        answered(access, iter([told[call] for call in calls]), header)
        for access, calls in zip(accesses, asked, strict=True)
    )


async def _header(chain: Chain, block: Hash32) -> BlockHeader:
    header = await chain.header_by_hash(block)
    if header is None:
        raise MalformedAnswerError("eth_getBlockByHash", f"block {block} is unknown")
    return header


async def _base(chain: Chain, venue: str, identity: Identity, header: BlockHeader) -> Access:
    """A metapool's base pool, with its token, and what its withdrawals hold back."""
    assert identity.base_pool is not None
    pool = PoolId(identity.base_pool)
    own = await detection.identify(chain, pool, header.hash)
    if own.base_pool is not None:
        raise MalformedPoolError(pool, "base_pool", "a base pool that stands on another is not supported")
    drafted = await _drafted(chain, venue, pool, own, None, header.hash)
    token = identity.coins[-1]
    access = await _examined(chain, msgspec.structs.replace(drafted, token=token), token, header)
    if not set(access.terms.rate_sources) <= {RateSource.STATIC, RateSource.POOL}:
        return access
    (state,) = await _read(chain, [access], header.hash)
    found = await detection.examine_withdrawals(chain, state, _context(header), header.hash)
    return msgspec.structs.replace(access, terms=found.terms)


async def _drafted(
    chain: Chain, venue: str, pool: PoolId, identity: Identity, base: Access | None, block: Hash32
) -> Access:
    """What the getters tell; the roundings are still to be found."""
    sources = await _sources(chain, pool, identity, base, block)
    behind = identity.underlying if RateSource.COMPOUND in sources or RateSource.YEARN in sources else identity.coins
    terms = StableTerms(
        coins=identity.coins,
        underlying=_told_underlying(identity, sources),
        decimals=await detection.decimals_of(chain, pool, behind, block),
        a_precision=_PRECISE if identity.has("A_precise()") else _PLAIN,
        rounding=ProductRounding.PER_COIN,
        held_back=1,
        withdrawal_held_back=1,
        view=ViewForm(held_back=1, scales_first=False),
        rate_sources=sources,
        follows_logs=_follows_logs(identity, sources),
        has_fee_in_estimate=RateSource.POOL in sources and identity.has("offpeg_fee_multiplier()"),
    )
    tokens = tokens_of(terms, None if base is None else base.terms)
    named = Pool(pool, Address(pool), PROTOCOL, venue, tokens)
    checked_terms(terms, named)
    return Access(
        pool=named,
        terms=terms,
        index=identity.index,
        has_ramp=identity.has("initial_A()"),
        has_offpeg=identity.has("offpeg_fee_multiplier()"),
        has_cache=base is not None and identity.has("base_virtual_price()"),
        snapshot=identity.snapshot if base is not None else None,
        base=base,
    )


async def _sources(
    chain: Chain, pool: PoolId, identity: Identity, base: Access | None, block: Hash32
) -> tuple[RateSource, ...]:
    count = len(identity.coins)
    if base is not None:
        first = RateSource.REDEMPTION if identity.snapshot is not None else RateSource.STATIC
        if identity.has("stored_rates()"):
            first = RateSource.POOL
        return (first,) * (count - 1) + (RateSource.BASE_POOL,)
    if identity.has("stored_rates()"):
        return (RateSource.POOL,) * count
    if len(identity.underlying) == count and not identity.has("offpeg_fee_multiplier()"):
        return await detection.lending_sources(chain, pool, identity, block)
    return (RateSource.STATIC,) * count


def _told_underlying(identity: Identity, sources: tuple[RateSource, ...]) -> tuple[Address, ...]:
    """Underlying coins where `exchange_underlying` pays by formula.

    Aave-type pools, and the first Compound-type ones, pay what they computed; all others (yearn's, Iron Bank's) pay
    whatever they then hold.
    """
    is_aave = identity.has("offpeg_fee_multiplier()") and set(sources) == {RateSource.STATIC}
    is_first = RateSource.COMPOUND in sources and not identity.has("A_precise()")
    return identity.underlying if is_aave or is_first else ()


def _follows_logs(identity: Identity, sources: tuple[RateSource, ...]) -> bool:
    """Whether the pool keeps its balances itself and nothing else moves.

    A pool that is its own token comes from a factory, whose pools may count what they hold, and then grow without a
    log; no getter tells which do.
    """
    is_plain = set(sources) == {RateSource.STATIC} and identity.underlying in ((), identity.coins)
    return is_plain and not identity.has("totalSupply()") and not identity.has("offpeg_fee_multiplier()")


async def _examined(chain: Chain, access: Access, token: Address | None, header: BlockHeader) -> Access:
    """The access with the roundings found."""
    (state,) = await _read(chain, [access], header.hash)
    found = await detection.examine(chain, state, token, _context(header), header.hash)
    return msgspec.structs.replace(access, terms=found.terms)


def _context(header: BlockHeader) -> BlockContext:
    """A call on the state after a block sees that block's number and time."""
    return BlockContext(header.number, header.timestamp, header.base_fee_wei, header.coinbase)
