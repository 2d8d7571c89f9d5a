"""Chain to state: constants once, with the pair itself as witness; then reserves, fee and pause at each block.

Forks of this family differ where no interface tells: in the fee's unit, in the root of the stable curve. So a pair is
examined when it is first seen: from what its contracts answer follow the candidates, and the pair's own `getAmountOut`
decides between them, at amounts where they disagree if there are any. A pair that agrees with none is refused.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from headrace.adapters.protocols.solidly.state import (
    PROTOCOL,
    FeeSource,
    SolidlyState,
    SolidlyTerms,
    checked_pool,
    checked_scale,
)
from headrace.adapters.protocols.words import address_of, call_data, words_of_bytes
from headrace.errors import IncompleteBlockError, MalformedPoolError
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

Answer = bytes | None


class Metadata(NamedTuple):
    """A pair's `metadata()`."""

    scale0: int
    scale1: int
    reserve0: int
    reserve1: int
    is_stable: int
    token0: int
    token1: int


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Read a pair's tokens.

    Raises:
        MalformedPoolError: the contract is no pair.
        ChainError: the node failed.
    """
    address = Address(pool)
    (answer,) = await chain.call_many([Call(address, _METADATA)], block)
    found = _metadata(pool, answer)
    try:
        tokens = (address_of(found.token0), address_of(found.token1))
    except ValueError as error:
        raise MalformedPoolError(pool, "tokens", str(error)) from error
    return checked_pool(Pool(pool, address, PROTOCOL, venue, tokens))


async def examine(chain: Chain, pool: Pool, fee_in_code: int | None, block: Hash32) -> SolidlyTerms:
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
        factory=_address(pool, "factory", factory),
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
    (state,) = await read(chain, [(pool, terms)], block)
    return await _confirmed(chain, state, block)


async def read(chain: Chain, pools: Sequence[tuple[Pool, SolidlyTerms]], block: Hash32) -> tuple[SolidlyState, ...]:
    """States after `block`, parallel to `pools`, in one round trip beside the block's number.

    Raises:
        MalformedPoolError: a contract is no pair any more, or its fee is all there is.
        ChainError: the node failed, or does not know the block.
    """
    header = await chain.header_by_hash(block)
    if header is None:
        raise IncompleteBlockError(f"the node does not know block {block}")
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
    fee = terms.fee_in_code if source is FeeSource.IN_CODE else _words(pool.id, "fee", answer, 1)[0]
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
    theirs = [None if answer is None else _words(pool.id, "getAmountOut", answer, 1)[0] for answer in answers]
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
    return Metadata(*_words(pool, "metadata", answer, _METADATA_WORDS))


def _address(pool: Pool, field: str, answer: Answer) -> Address:
    try:
        return address_of(_words(pool.id, field, answer, 1)[0])
    except ValueError as error:
        raise MalformedPoolError(pool.id, field, str(error)) from error


def _words(pool: PoolId, field: str, answer: Answer, count: int) -> tuple[int, ...]:
    if answer is None or len(answer) != _WORD * count:
        raise MalformedPoolError(pool, field, "the contract does not answer as a Solidly pair does")
    return words_of_bytes(answer)
