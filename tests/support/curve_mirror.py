"""A node that answers as the contracts of given StableSwap states would: to test describing and reading alone.

Its `get_dy` is our own view, so it shows that what is read is what was there, and nothing about arithmetic.
"""

from collections.abc import Callable, Sequence
from typing import cast

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource, rates_at
from headrace.adapters.protocols.curve_stableswap.views import view
from headrace.adapters.protocols.curve_stableswap.ways import Way
from headrace.adapters.protocols.words import call_data, words_of_bytes
from headrace.kernels.stableswap_liquidity import coin_withdrawn, tokens_estimated
from headrace.model.address import ZERO_ADDRESS, Address, Hash32
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.executor_step import CurveCall
from headrace.ports.chain import Call, Chain

BLOCK = Hash32("0x" + "b1" * 32)
Computed = Callable[[tuple[int, ...]], int]


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


class Mirror:
    """`fixed` answers whole calldata, `computed` a selector; both may be changed by a test."""

    def __init__(self, number: int, timestamp: int) -> None:
        self.header = BlockHeader(number, BLOCK, BLOCK, timestamp, 1, 0, 1, ZERO_ADDRESS, b"")
        self.fixed: dict[tuple[Address, bytes], bytes] = {}
        self.computed: dict[tuple[Address, bytes], Computed] = {}

    @property
    def chain(self) -> Chain:
        return cast("Chain", self)

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        return self.header if block == BLOCK else None

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == BLOCK
        return tuple(self._answer(call) for call in calls)

    def say(self, contract: Address, signature: str, *values: int, arguments: tuple[int, ...] = ()) -> None:
        self.fixed[contract, call_data(signature, *arguments)] = words(*values)

    def silence(self, contract: Address, signature: str) -> None:
        del self.fixed[contract, call_data(signature)]

    def compute(self, contract: Address, signature: str, answer: Computed) -> None:
        self.computed[contract, call_data(signature)] = answer

    def _answer(self, call: Call) -> bytes | None:
        if (call.to, call.data) in self.fixed:
            return self.fixed[call.to, call.data]
        computed = self.computed.get((call.to, call.data[:4]))
        if computed is None:
            return None
        try:
            return words(computed(words_of_bytes(call.data[4:])))
        except ArithmeticError:
            return None

    @property
    def at(self) -> BlockContext:
        return BlockContext(self.header.number, self.header.timestamp, 0, ZERO_ADDRESS)

    def show(self, state: CurveStableswapState, index: str = "uint256") -> None:
        """Answer as this pool's contract and coins do."""
        pool, terms = state.pool.address, state.terms
        for k, coin in enumerate(terms.coins):
            self.say(pool, f"coins({index})", int(coin, 16), arguments=(k,))
            self.say(pool, f"balances({index})", state.balances[k], arguments=(k,))
            self._show_coin(state, k)
        self.say(pool, "fee()", state.fee)
        self.say(pool, "admin_fee()", state.admin_fee)
        self._show_amplification(state)
        if state.offpeg_multiplier:
            self.say(pool, "offpeg_fee_multiplier()", state.offpeg_multiplier)
        if state.cached is not None:
            self.say(pool, "base_virtual_price()", state.cached.price)
            self.say(pool, "base_cache_updated()", state.cached.updated_at)
        self.compute(pool, "get_dy(int128,int128,uint256)", lambda asked: self._view(state, asked))
        if state.base is not None:
            self._show_base(state, state.base)

    def show_underlying(self, state: CurveStableswapState, underlying: Sequence[Address], index: str) -> None:
        for k, coin in enumerate(underlying):
            self.say(state.pool.address, f"underlying_coins({index})", int(coin, 16), arguments=(k,))
            self.say(coin, "decimals()", state.terms.decimals[k])

    def _show_amplification(self, state: CurveStableswapState) -> None:
        pool, ramp, precision = state.pool.address, state.ramp, state.terms.a_precision
        self.say(pool, "A()", ramp.at(self.header.timestamp) // precision)
        if precision > 1:
            self.say(pool, "A_precise()", ramp.at(self.header.timestamp))
        if ramp.future_time or precision > 1:
            self.say(pool, "initial_A()", ramp.initial_a)
            self.say(pool, "future_A()", ramp.future_a)
            self.say(pool, "initial_A_time()", ramp.initial_time)
            self.say(pool, "future_A_time()", ramp.future_time)

    def _show_coin(self, state: CurveStableswapState, k: int) -> None:
        coin, source = state.terms.coins[k], state.terms.rate_sources[k]
        self.say(coin, "decimals()", state.terms.decimals[k])
        if source is RateSource.YEARN:
            self.say(coin, "getPricePerFullShare()", state.rates[k] // 10 ** (18 - state.terms.decimals[k]))
        lent = state.compound[k] if state.compound else None
        if lent is not None:
            self.say(coin, "exchangeRateStored()", lent.stored)
            self.say(coin, "supplyRatePerBlock()", lent.supply_rate)
            self.say(coin, "borrowRatePerBlock()", lent.borrow_rate)
            self.say(coin, "accrualBlockNumber()", lent.accrual_block)
            self.say(coin, "getCash()", lent.cash)
            self.say(coin, "totalBorrows()", lent.borrows)
            self.say(coin, "totalReserves()", lent.reserves)
            self.say(coin, "reserveFactorMantissa()", lent.reserve_share)
            self.say(coin, "totalSupply()", lent.supply)

    def _show_base(self, state: CurveStableswapState, base: CurveStableswapState) -> None:
        token = state.terms.coins[-1]
        self.say(state.pool.address, "base_pool()", int(base.pool.address, 16))
        self.say(token, "totalSupply()", base.supply)
        self.show(base)
        pool, held_back = base.liquidity(base.rates, self.header.timestamp), base.terms.withdrawal_held_back
        self.compute(
            base.pool.address,
            "calc_withdraw_one_coin(uint256,int128)",
            lambda asked: coin_withdrawn(pool, asked[1], asked[0], held_back=held_back),
        )
        self.show_deposits(base)

    def show_deposits(self, state: CurveStableswapState) -> None:
        """Answer `calc_token_amount` of one coin, from the state's supply."""
        rates = rates_at(state, self.header.number, self.header.timestamp, is_view=True)
        pool = state.liquidity(rates, self.header.timestamp)
        self.compute(
            state.pool.address,
            f"calc_token_amount(uint256[{len(state.balances)}],bool)",
            lambda asked: tokens_estimated(
                pool, next(k for k, amount in enumerate(asked) if amount), max(asked[:-1]), is_deposit=True
            ),
        )

    def _view(self, state: CurveStableswapState, asked: tuple[int, ...]) -> int:
        return view(state, Way(CurveCall.EXCHANGE_INT128, asked[0], asked[1]), asked[2], self.at)
