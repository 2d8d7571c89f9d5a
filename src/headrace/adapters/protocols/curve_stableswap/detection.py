"""Finding out what kind of StableSwap pool stands at an address, from what it answers.

Three rounds. `identify` asks which getters there are: coins, precise A, a fee off the peg, rates of its own, a base
pool, underlying coins. Then the coins are asked what they are. What getters do not tell is how the contract rounds
(`candidates`); `examine` therefore asks the pool's own `get_dy` for a few swaps, and `calc_token_amount` for uneven
deposits of many sizes, each of which shows another D, and keeps the first way that meets all answers to the unit. (On
random pools of two to four coins such deposits told division per coin and at the end apart in 899 of 900.) A pool that
none meets is refused, and so is one that has nothing to swap, for it shows nothing.

How `exchange` rounds follows from `get_dy` in every source that was read (3pool, Compound, USDT, Y, sUSD, sBTC, Aave,
sAave, Iron Bank, aETH, stETH, RAI, GUSD, the templates, the factory's, NG): what holds nothing back and scales before
the fee holds nothing back in a swap either; all others hold back a unit. For any other source that is an assumption.
"""

from collections.abc import Iterator, Sequence

import msgspec

from headrace.adapters.protocols.answers import address_in
from headrace.adapters.protocols.curve_stableswap.state import (
    COINS_MAX,
    NATIVE,
    CurveStableswapState,
    RateSource,
    ViewForm,
    rates_at,
)
from headrace.adapters.protocols.curve_stableswap.views import view
from headrace.adapters.protocols.curve_stableswap.ways import Way
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedPoolError
from headrace.kernels.stableswap import ProductRounding
from headrace.kernels.stableswap_liquidity import LiquidityPool, coin_withdrawn, tokens_estimated
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall
from headrace.ports.chain import Call, Chain

# base pools' tokens on Ethereum, for the metapools of the first factory, which do not name their base pool
KNOWN_BASES = {
    Address("0x6c3f90f043a72fa612cbac8115ee7e52bde6e490"): Address("0xbebc44782c7db0a1a60cb6fe97d0b483032ff1c7"),
    Address("0x3175df0976dfa876431c2e9ee6bc45b65d3473cc"): Address("0xdcef968d416a41cdac0ed8702fac8128a64241a2"),
    Address("0x075b1bb99792c9e1041ba13afef80c91a1e70fb3"): Address("0x7fc77b5c7614e1533320ea6ddc2eb61fa00a9714"),
    Address("0x49849c98ae39fff122806c06791fa73784fb3675"): Address("0x93054188d876f558f4a66b2ef1d97d16edf0895b"),
}

_INDEX_TYPES = ("uint256", "int128")
_GETTERS = (
    "gamma()",
    "A()",
    "A_precise()",
    "initial_A()",
    "offpeg_fee_multiplier()",
    "stored_rates()",
    "base_pool()",
    "BASE_POOL()",
    "base_virtual_price()",
    "redemption_price_snap()",
    "totalSupply()",
    "lp_token()",
)
_SHARES = (1000, 37, 5)  # of the balance in: the swaps that a pool is asked about
_DEPOSITS = tuple(3**k for k in range(1, 17))  # of the balance: the deposits
_WORD = 32


class Identity(msgspec.Struct, frozen=True):
    """What the getters told."""

    coins: tuple[Address, ...]
    underlying: tuple[Address, ...]
    index: str
    answered: frozenset[str]
    base_pool: Address | None
    snapshot: Address | None
    token: Address | None

    def has(self, getter: str) -> bool:
        """Whether the pool answers it."""
        return getter in self.answered


async def identify(chain: Chain, pool: PoolId, block: Hash32) -> Identity:
    """Ask an address for all that a StableSwap pool may answer.

    Raises:
        MalformedPoolError: it is no StableSwap pool, or one with ether.
        ChainError: the node failed.
    """
    address = Address(pool)
    lists = [(name, index) for name in ("coins", "underlying_coins") for index in _INDEX_TYPES]
    asked = [Call(address, call_data(getter)) for getter in _GETTERS]
    asked += [Call(address, call_data(f"{name}({index})", k)) for name, index in lists for k in range(COINS_MAX)]
    answers = iter(await chain.call_many(asked, block))
    scalars = {getter: next(answers) for getter in _GETTERS}
    found = {way: _addresses(pool, answers) for way in lists}
    answered = frozenset(getter for getter, answer in scalars.items() if answer)
    index = next((one for one in _INDEX_TYPES if found["coins", one]), None)
    if index is None or "A()" not in answered:
        raise MalformedPoolError(pool, "coins", "the contract does not answer as a StableSwap pool does")
    if "gamma()" in answered:
        raise MalformedPoolError(pool, "gamma", "it has one, so it is a CryptoSwap pool")
    coins = found["coins", index]
    underlying = next((found["underlying_coins", one] for one in _INDEX_TYPES if found["underlying_coins", one]), ())
    if NATIVE in coins:
        raise MalformedPoolError(pool, "coins", "one is ether itself, which the Executor does not pay with")
    base = _address(pool, scalars["BASE_POOL()"] or scalars["base_pool()"]) or KNOWN_BASES.get(coins[-1])
    snapshot = _address(pool, scalars["redemption_price_snap()"])
    token = Address(pool) if "totalSupply()" in answered else _address(pool, scalars["lp_token()"])
    return Identity(coins, underlying[: len(coins)], index, answered, base, snapshot, token)


async def decimals_of(chain: Chain, pool: PoolId, tokens: Sequence[Address], block: Hash32) -> tuple[int, ...]:
    """What each token says.

    Raises:
        MalformedPoolError: one says nothing, or more than 18.
        ChainError: the node failed.
    """
    answers = await chain.call_many([Call(token, call_data("decimals()")) for token in tokens], block)
    found = []
    for token, answer in zip(tokens, answers, strict=True):
        decimals = int.from_bytes(answer, "big") if answer and len(answer) == _WORD else None
        if decimals is None or decimals > 18:  # noqa: PLR2004 - the common unit's
            raise MalformedPoolError(pool, "decimals", f"{token} says {decimals}")
        found.append(decimals)
    return tuple(found)


async def lending_sources(chain: Chain, pool: PoolId, identity: Identity, block: Hash32) -> tuple[RateSource, ...]:
    """Of a pool with underlying coins, whose kind each coin is.

    Raises:
        MalformedPoolError: a coin is of no known lender.
        ChainError: the node failed.
    """
    getters = ("exchangeRateStored()", "getPricePerFullShare()")
    asked = [Call(coin, call_data(getter)) for coin in identity.coins for getter in getters]
    answers = iter(await chain.call_many(asked, block))
    sources = []
    for coin, behind in zip(identity.coins, identity.underlying, strict=True):
        compound, yearn = next(answers), next(answers)
        if coin == behind:
            sources.append(RateSource.STATIC)
        elif compound:
            sources.append(RateSource.COMPOUND)
        elif yearn:
            sources.append(RateSource.YEARN)
        else:
            raise MalformedPoolError(pool, "coins", f"what {coin} is worth cannot be told")
    return tuple(sources)


def candidates(state: CurveStableswapState) -> Iterator[CurveStableswapState]:
    """The state with each way of rounding, the likeliest first.

    Answers that do not tell two ways apart leave the first: of those that hold nothing back the guarded one, and of the
    first pools with Compound's coins, whose unit is 1e16 of the common one, those that hold nothing back.
    """
    terms = state.terms
    usual = ProductRounding.AT_THE_END if RateSource.POOL in terms.rate_sources else ProductRounding.PER_COIN
    is_early = terms.a_precision == 1 or state.offpeg_multiplier > 0
    forms = ViewForm(1, False), ViewForm(1, True), ViewForm(0, is_early), ViewForm(0, not is_early)
    if RateSource.COMPOUND in terms.rate_sources and terms.a_precision == 1:
        forms = forms[2:] + forms[:2]
    for form in forms:
        held_back = 0 if form == ViewForm(0, scales_first=True) else 1
        first = usual if held_back else ProductRounding.PER_COIN_GUARDED
        for rounding in sorted(ProductRounding, key=lambda one, first=first: one is not first):  # type: ignore[misc]
            changed = msgspec.structs.replace(terms, rounding=rounding, view=form, held_back=held_back)
            yield msgspec.structs.replace(state, terms=changed)


async def examine(
    chain: Chain, state: CurveStableswapState, token: Address | None, at: BlockContext, block: Hash32
) -> CurveStableswapState:
    """The state with the way of rounding that meets the pool's own answers; `token` is the pool's, where it is known.

    Raises:
        MalformedPoolError: none does, or the pool has nothing to answer with.
        ChainError: the node failed.
    """
    swaps = await _swaps_told(chain, state, block)
    if not swaps:
        raise MalformedPoolError(state.pool.id, "get_dy", "an empty pool does not show how it rounds")
    supply, deposits = await _deposits_told(chain, state, token, block) if token is not None else (0, [])
    rates = _rates_seen(state, at)
    for candidate in candidates(state):
        is_met = all(_meets_swap(candidate, way, dx, answer, at) for way, dx, answer in swaps)
        pool = msgspec.structs.replace(candidate, supply=supply).liquidity(rates, at.timestamp)
        if is_met and all(_meets_deposit(pool, k, amount, answer) for k, amount, answer in deposits):
            return candidate
    raise MalformedPoolError(state.pool.id, "get_dy", "it answers as no known kind of StableSwap pool does")


async def _swaps_told(chain: Chain, state: CurveStableswapState, block: Hash32) -> list[tuple[Way, int, int]]:
    last = len(state.balances) - 1
    ways = [Way(CurveCall.EXCHANGE_INT128, i, j) for i, j in dict.fromkeys(((0, 1), (1, 0), (0, last), (last, 0)))]
    asked = [(way, max(1, state.balances[way.index_in] // share)) for way in ways for share in _SHARES]
    calls = [Call(state.pool.address, call_data("get_dy(int128,int128,uint256)", *way[1:], dx)) for way, dx in asked]
    answers = await chain.call_many(calls, block)
    return [(*one, int.from_bytes(answer, "big")) for one, answer in zip(asked, answers, strict=True) if answer]


async def _deposits_told(
    chain: Chain, state: CurveStableswapState, token: Address, block: Hash32
) -> tuple[int, list[tuple[int, int, int]]]:
    """The token's supply, and what deposits of one coin are estimated to mint; NG pools take lists and answer none."""
    count = len(state.balances)
    signature = f"calc_token_amount(uint256[{count}],bool)"
    asked = [(k, state.balances[k] * times) for k in range(count) for times in _DEPOSITS]
    calls = [Call(token, call_data("totalSupply()"))]
    for k, amount in asked:
        amounts = [amount if other == k else 0 for other in range(count)]
        calls.append(Call(state.pool.address, call_data(signature, *amounts, 1)))
    supply, *answers = await chain.call_many(calls, block)
    told = [(*one, int.from_bytes(answer, "big")) for one, answer in zip(asked, answers, strict=True) if answer]
    return int.from_bytes(supply or b"", "big"), told if supply else []


async def examine_withdrawals(
    chain: Chain, state: CurveStableswapState, at: BlockContext, block: Hash32
) -> CurveStableswapState:
    """A base pool's state with what its withdrawals hold back.

    Raises:
        MalformedPoolError: it answers as no known kind of pool does.
        ChainError: the node failed.
    """
    asked = [(k, state.supply // share) for k in range(len(state.balances)) for share in _SHARES[:2]]
    signature = "calc_withdraw_one_coin(uint256,int128)"
    calls = [Call(state.pool.address, call_data(signature, tokens, k)) for k, tokens in asked]
    answers = await chain.call_many(calls, block)
    pool = state.liquidity(state.rates, at.timestamp)
    for held_back in (1, 0):
        try:
            ours = [coin_withdrawn(pool, k, tokens, held_back=held_back) for k, tokens in asked]
        except ArithmeticError:
            continue
        if ours == [None if answer is None else int.from_bytes(answer, "big") for answer in answers]:
            terms = msgspec.structs.replace(state.terms, withdrawal_held_back=held_back)
            return msgspec.structs.replace(state, terms=terms)
    raise MalformedPoolError(state.pool.id, "calc_withdraw_one_coin", "it answers as no known kind of base pool does")


def _meets_swap(state: CurveStableswapState, way: Way, amount_in: int, answer: int, at: BlockContext) -> bool:
    try:
        return view(state, way, amount_in, at) == answer
    except ArithmeticError:
        return False


def _meets_deposit(pool: LiquidityPool, index: int, amount: int, answer: int) -> bool:
    try:
        return tokens_estimated(pool, index, amount, is_deposit=True) == answer
    except ArithmeticError:  # the oldest contracts answer with a D that has not converged, which tells nothing
        return True


def _rates_seen(state: CurveStableswapState, at: BlockContext) -> tuple[int, ...]:
    try:
        return rates_at(state, at.number, at.timestamp, is_view=True)
    except ArithmeticError as error:
        raise MalformedPoolError(state.pool.id, "base_pool", f"its token has no price ({error})") from error


def _addresses(pool: PoolId, answers: Iterator[bytes | None]) -> tuple[Address, ...]:
    """The leading addresses of a list that is asked index by index."""
    found = [_address(pool, next(answers)) for _ in range(COINS_MAX)]
    count = found.index(None) if None in found else len(found)
    return tuple(address for address in found[:count] if address is not None)


def _address(pool: PoolId, answer: bytes | None) -> Address | None:
    if not answer or len(answer) != _WORD:
        return None
    address = address_in(pool, "coins", int.from_bytes(answer, "big"))
    return None if address == ZERO_ADDRESS else address
