"""Chain to state: constants once, with the pair itself as witness; then reserves, fee and pause at each block.

Forks of this family differ where no interface tells: in the fee's unit, in the root of the stable curve. So a pair is
examined when it is first seen: from what its contracts answer follow the candidates, and the pair's own `getAmountOut`
decides between them, at amounts where they disagree if there are any. A pair that agrees with none is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from headrace.adapters.protocols.answers import Answer, address_in, exact_words
from headrace.adapters.protocols.solidly.state import (
    PROTOCOL,
    FeeSource,
    SolidlyState,
    SolidlyTerms,
    checked_pool,
    checked_scale,
)
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.solidly import Root, SolidlyPair, amount_out
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_METADATA = call_data("metadata()")
_METADATA_WORDS = 7  # two scales, two reserves, whether stable, two tokens
_FACTORY = call_data("factory()")
_POOL_FEES = call_data("poolFees()")
_PAUSED = call_data("isPaused()")
_AMOUNT_OUT = call_data("getAmountOut(uint256,address)")
_TRIED = 32  # amounts in each direction, of which those are asked for at which the roots differ
_ASKED = 3
_WORD = 32
_UNLIKE = "the contract does not answer as a Solidly pair does"


class Metadata(NamedTuple):
    """A pair's `metadata()`."""

    scale0: int
    scale1: int
    reserve0: int
    reserve1: int
    is_stable: int
    token0: int
    token1: int


class PairReader:
    """Reads pairs, each of which is examined when it is first seen.

    `fee_pips_by_venue` are fees of venues whose pairs have it in their code; other pairs are asked for it.
    """

    def __init__(self, fee_pips_by_venue: Mapping[str, int]) -> None:
        self._fees = dict(fee_pips_by_venue)
        self._terms: dict[PoolId, SolidlyTerms] = {}

    def know(self, pool: PoolId, terms: SolidlyTerms) -> None:
        """Take a pair's terms as examined."""
        self._terms[pool] = terms

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pair's constants, and have it confirm that it computes as this protocol does.

        Raises:
            MalformedPoolError: the contract is no pair, or computes otherwise.
            ChainError: the node failed.
        """
        described = await _describe(chain, venue, pool, block)
        await self._know_by_examining(chain, described, block)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[SolidlyState, ...]:
        """States after `block`, parallel to `pools`; pairs never seen before are examined first.

        Raises:
            MalformedPoolError: a contract is no pair, or computes otherwise.
            ChainError: the node failed.
        """
        for pool in pools:
            if pool.id not in self._terms:
                await self._know_by_examining(chain, pool, block)
        return await _read(chain, [(pool, self._terms[pool.id]) for pool in pools], block)

    async def _know_by_examining(self, chain: Chain, pool: Pool, block: Hash32) -> None:
        self.know(pool.id, await _examine(chain, pool, self._fees.get(pool.venue), block))


async def _describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    address = Address(pool)
    (answer,) = await chain.call_many([Call(address, _METADATA)], block)
    found = _metadata(pool, answer)
    tokens = tuple(address_in(pool, "tokens", word) for word in (found.token0, found.token1))
    return checked_pool(Pool(pool, address, PROTOCOL, venue, tokens))


async def _examine(chain: Chain, pool: Pool, fee_in_code: int | None, block: Hash32) -> SolidlyTerms:
    """Find out which contract of the family a pair is; `fee_in_code` is in pips, for pairs that no one tells a fee.

    Raises:
        MalformedPoolError: the contract is no pair, or computes otherwise.
        ChainError: the node failed.
    """
    asked = [Call(pool.address, data) for data in (_METADATA, _FACTORY, _POOL_FEES)]
    metadata, factory, pool_fees = await chain.call_many(asked, block)
    found = _metadata(pool.id, metadata)
    terms = SolidlyTerms(
        is_stable=found.is_stable != 0,
        scales=(checked_scale(pool, found.scale0), checked_scale(pool, found.scale1)),
        root=Root.SOLIDLY if pool_fees is None else Root.VELODROME_V2,
        factory=address_in(pool.id, "factory", _word(pool.id, "factory", factory)),
        fee_source=FeeSource.IN_CODE,
        fee_in_code=fee_in_code or 0,
    )
    sources = [source for source in FeeSource if source is not FeeSource.IN_CODE]
    candidates = [msgspec.structs.replace(terms, fee_source=source) for source in sources]
    fees = await chain.call_many([_fee_call(pool, candidate) for candidate in candidates], block)
    answering = [one for one, fee in zip(candidates, fees, strict=True) if fee is not None and len(fee) == _WORD]
    if not answering and fee_in_code is None:
        raise MalformedPoolError(pool.id, "fee", "no one tells it: give the venue's `fee_pips`")
    terms = answering[0] if answering else terms
    (state,) = await _read(chain, [(pool, terms)], block)
    return await _confirmed(chain, state, block)


async def _read(chain: Chain, pools: Sequence[tuple[Pool, SolidlyTerms]], block: Hash32) -> tuple[SolidlyState, ...]:
    header = await chain.header_by_hash(block)
    if header is None:
        raise MalformedAnswerError("eth_getBlockByHash", f"the node does not know block {block}")
    calls = list(dict.fromkeys(call for pool, terms in pools for call in _calls(pool, terms)))  # factories are shared
    answers = dict(zip(calls, await chain.call_many(calls, block), strict=True))
    return tuple(
        _state(pool, terms, [answers[call] for call in _calls(pool, terms)], header.number) for pool, terms in pools
    )


def _calls(pool: Pool, terms: SolidlyTerms) -> tuple[Call, Call, Call]:
    return Call(pool.address, _METADATA), Call(terms.factory, _PAUSED), _fee_call(pool, terms)


def _state(pool: Pool, terms: SolidlyTerms, answers: Sequence[Answer], number: int) -> SolidlyState:
    metadata, paused, fee = answers
    found = _metadata(pool.id, metadata)
    if ((found.scale0, found.scale1), found.is_stable != 0) != (terms.scales, terms.is_stable):
        raise MalformedPoolError(pool.id, "metadata", "its constants have changed")
    return SolidlyState(
        pool=pool,
        terms=terms,
        reserve0=found.reserve0,
        reserve1=found.reserve1,
        fee=_fee(pool, terms, fee),
        is_paused=paused is not None and any(paused),
        read_at=number,
    )


def _fee(pool: Pool, terms: SolidlyTerms, answer: Answer) -> int:
    source = terms.fee_source
    fee = terms.fee_in_code if source is FeeSource.IN_CODE else _word(pool.id, "fee", answer)
    if not 0 <= fee < source.unit:
        raise MalformedPoolError(pool.id, "fee", f"{fee} is not in [0, {source.unit})")
    return fee


def _fee_call(pool: Pool, terms: SolidlyTerms) -> Call:
    """What asks for the fee; for a fee in the code, a call whose answer is not looked at."""
    arguments: tuple[int, ...] = ()
    if terms.fee_source in {FeeSource.OF_PAIR, FeeSource.OF_PAIR_18_DECIMALS}:
        arguments += (int(pool.address, 16),)
    if terms.fee_source in {FeeSource.OF_PAIR, FeeSource.OF_KIND}:
        arguments += (int(terms.is_stable),)
    if terms.fee_source is FeeSource.IN_CODE:
        return Call(terms.factory, _PAUSED)
    return Call(terms.factory, call_data(terms.fee_source.value, *arguments))


async def _confirmed(chain: Chain, state: SolidlyState, block: Hash32) -> SolidlyTerms:
    """The terms with the root whose amounts are the pair's own.

    Raises:
        MalformedPoolError: none is.
        ChainError: the node failed.
    """
    pool, own = state.pool, state.terms.root
    roots = (own, *(root for root in Root if root is not own))
    probes = [(way, amount) for way in (0, 1) for amount in _telling_amounts(state, way)]
    words = [(amount, int(pool.tokens[way], 16)) for way, amount in probes]
    data = [_AMOUNT_OUT + b"".join(word.to_bytes(_WORD, "big") for word in pair) for pair in words]
    answers = await chain.call_many([Call(pool.address, one) for one in data], block)
    theirs = [None if answer is None else _word(pool.id, "getAmountOut", answer) for answer in answers]
    for root in roots:
        if theirs == [amount_out(_direction(state, way, root), amount) for way, amount in probes]:
            return msgspec.structs.replace(state.terms, root=root)
    raise MalformedPoolError(pool.id, "getAmountOut", "it computes otherwise than any pair of this family known here")


def _telling_amounts(state: SolidlyState, way: int) -> Iterator[int]:
    """Shares of the reserve: two fixed ones, and those first found at which the roots differ."""
    reserve = (state.reserve0, state.reserve1)[way]
    yield reserve // 1000 + 1
    yield reserve // 3 + 1
    if not state.terms.is_stable:
        return
    found = 0
    for part in range(1, _TRIED + 1):
        amount = reserve * part // (2 * _TRIED) + part
        outputs = {amount_out(_direction(state, way, root), amount) for root in Root}
        if len(outputs) > 1:
            yield amount
            found += 1
            if found == _ASKED:
                return


def _direction(state: SolidlyState, way: int, root: Root) -> SolidlyPair:
    reserves, scales = (state.reserve0, state.reserve1), state.terms.scales
    return SolidlyPair(
        reserve_in=reserves[way],
        reserve_out=reserves[1 - way],
        scale_in=scales[way],
        scale_out=scales[1 - way],
        fee=state.fee,
        fee_unit=state.terms.fee_source.unit,
        is_stable=state.terms.is_stable,
        root=root,
        is_zero_for_one=way == 0,
    )


def _metadata(pool: PoolId, answer: Answer) -> Metadata:
    return Metadata(*exact_words(pool, "metadata", answer, _METADATA_WORDS, _UNLIKE))


def _word(pool: PoolId, field: str, answer: Answer) -> int:
    return exact_words(pool, field, answer, 1, _UNLIKE)[0]
