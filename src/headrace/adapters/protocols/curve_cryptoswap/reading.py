"""Chain to state: what a pool stores at a block, many pools in one round trip."""

from collections.abc import Sequence

from headrace.adapters.protocols.answers import Answer
from headrace.adapters.protocols.curve_cryptoswap.identifying import Identity, identify, settle
from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState, Ramp, Terms, checked_state
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.model.address import Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_WORD = 32
_GAMMA_BITS = 128
_GETTERS = (
    "D",
    "initial_A_gamma",
    "initial_A_gamma_time",
    "future_A_gamma",
    "future_A_gamma_time",
    "mid_fee",
    "out_fee",
    "fee_gamma",
    "virtual_price",
)
_SUPPLY = call_data("totalSupply()")
_IS_KILLED = call_data("is_killed()")


class PoolReader:
    """Reads pools, of which each is asked once what it is."""

    def __init__(self) -> None:
        self._terms: dict[PoolId, Terms] = {}

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants and settle which arithmetic it has.

        Raises:
            MalformedPoolError: the contract is no CryptoSwap pool, or pays otherwise than every arithmetic known.
            ChainError: the node failed.
        """
        identity = await identify(chain, venue, pool, block)
        self._terms[pool] = await _terms_of(chain, identity, block)
        return identity.pool

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[CryptoSwapState, ...]:
        """States after `block`, parallel to `pools`; one that was not described is identified first.

        Raises:
            MalformedPoolError: a pool's state cannot be one of a CryptoSwap pool.
            ChainError: the node failed, or does not know the block.
        """
        for pool in pools:
            if pool.id not in self._terms:
                await self.describe(chain, pool.venue, pool.id, block)
        return await _read(chain, pools, [self._terms[pool.id] for pool in pools], block)


async def _read(
    chain: Chain, pools: Sequence[Pool], terms: Sequence[Terms], block: Hash32
) -> tuple[CryptoSwapState, ...]:
    header = await _header(chain, block)
    wanted = [_calls(pool, of) for pool, of in zip(pools, terms, strict=True)]
    answers = iter(await chain.call_many([call for calls in wanted for call in calls], block))
    return tuple(
        _state(pool, of, [next(answers) for _ in calls], header)
        for pool, of, calls in zip(pools, terms, wanted, strict=True)
    )


async def _terms_of(chain: Chain, identity: Identity, block: Hash32) -> Terms:
    header = await _header(chain, block)
    pools = [identity.pool] * len(identity.candidates)
    states = await _read(chain, pools, identity.candidates, block)
    return (await settle(chain, states, header.timestamp, block)).terms


async def _header(chain: Chain, block: Hash32) -> BlockHeader:
    header = await chain.header_by_hash(block)
    if header is None:
        raise MalformedAnswerError("eth_getBlockByHash", f"the node does not know block {block}")
    return header


def _calls(pool: Pool, terms: Terms) -> list[Call]:
    count = len(pool.tokens)
    data = [call_data(f"{name}()") for name in _GETTERS]
    data += [call_data("balances(uint256)", index) for index in range(count)]
    if count > 2:  # noqa: PLR2004 - a pool of two coins has one price and asks for no index
        data += [call_data("price_scale(uint256)", index) for index in range(count - 1)]
    else:
        data.append(call_data("price_scale()"))
    calls = [Call(pool.address, one) for one in data]
    calls.append(Call(terms.shares, _SUPPLY))
    if not terms.generation.is_next:
        calls.append(Call(pool.address, _IS_KILLED))
    return calls


def _state(pool: Pool, terms: Terms, answers: list[Answer], header: BlockHeader) -> CryptoSwapState:
    count = len(pool.tokens)
    invariant, start, start_time, end, end_time, mid_fee, out_fee, fee_gamma, virtual_price = (
        _word(pool.id, name, answer) for name, answer in zip(_GETTERS, answers, strict=False)
    )
    rest = answers[len(_GETTERS) :]
    balances = tuple(_word(pool.id, "balances", answer) for answer in rest[:count])
    prices = tuple(_word(pool.id, "price_scale", answer) for answer in rest[count : 2 * count - 1])
    supply, *killed = (_word(pool.id, "totalSupply or is_killed", answer) for answer in rest[2 * count - 1 :])
    is_ramping = end_time > header.timestamp
    state = CryptoSwapState(
        pool=pool,
        terms=terms,
        balances=balances,
        prices=prices,
        invariant=invariant,
        ramp=_ramp((start, start_time), (end, end_time)),
        mid_fee=mid_fee,
        out_fee=out_fee,
        fee_gamma=fee_gamma,
        supply=supply,
        virtual_price=virtual_price,
        is_killed=any(killed),
        stale_from=None if terms.is_told_by_logs and not is_ramping else header.number + 1,
        ramp_read_at=header.timestamp if is_ramping else 0,
    )
    return checked_state(state)


def _ramp(start: tuple[int, int], end: tuple[int, int]) -> Ramp:
    """A and gamma share a word: gamma in the lower half."""
    mask = (1 << _GAMMA_BITS) - 1
    return Ramp(
        initial_ann=start[0] >> _GAMMA_BITS,
        initial_gamma=start[0] & mask,
        initial_time=start[1],
        future_ann=end[0] >> _GAMMA_BITS,
        future_gamma=end[0] & mask,
        future_time=end[1],
    )


def _word(pool: PoolId, field: str, answer: Answer) -> int:
    if answer is None or len(answer) != _WORD:
        raise MalformedPoolError(pool, field, "the contract does not answer as a CryptoSwap pool does")
    return int.from_bytes(answer, "big")
