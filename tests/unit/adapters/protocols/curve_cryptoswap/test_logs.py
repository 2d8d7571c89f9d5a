"""Logs in the forms of both generations, made by hand; those of the first are folded in the conformance suite."""

import math
import random

import msgspec
import pytest
from tests.unit.adapters.protocols.curve_cryptoswap.scripted import NOW, NUMBER, POOL, POOL_ID, TOKENS
from tests.unit.kernels.test_cryptoswap import TRICRYPTO_NG, TWOCRYPTO_NG

from headrace.adapters.protocols.curve_cryptoswap import CurveCryptoSwap, logs
from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState, Ramp, Terms, checked_state
from headrace.adapters.protocols.words import topic
from headrace.errors import MalformedLogError, MalformedPoolError, UnquotableError
from headrace.kernels.cryptoswap import CryptoSwapPool, Generation
from headrace.kernels.curve import Curves, hop
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.pool import Pool

DEX = CurveCryptoSwap()
HASH = Hash32("0x" + "00" * 32)
BUYER = Hash32("0x" + "00" * 12 + "77" * 20)
replace = msgspec.structs.replace


def state_of(kernel: CryptoSwapPool) -> CryptoSwapState:
    count = kernel.generation.coins
    pool = Pool(POOL_ID, POOL, DEX.protocol_id, "curve", TOKENS[:count])
    ramp = Ramp(kernel.ann, kernel.gamma, 0, kernel.ann, kernel.gamma, 0)
    fees = kernel.fees
    return CryptoSwapState(
        pool=pool,
        terms=Terms(kernel.generation, (1,) * count, POOL),
        balances=kernel.balances,
        prices=kernel.prices,
        invariant=kernel.invariant,
        ramp=ramp,
        mid_fee=fees.mid_fee,
        out_fee=fees.out_fee,
        fee_gamma=fees.fee_gamma,
        supply=10**20,
        virtual_price=0,
    )


PAIR_NG = state_of(TWOCRYPTO_NG)
TRIPLE_NG = state_of(TRICRYPTO_NG)
PAIR = state_of(replace(TWOCRYPTO_NG, generation=Generation.PAIR))


def log(name: Hash32, *words: int, indexed: tuple[Hash32, ...] = ()) -> Log:
    return Log(POOL, (name, *indexed), "0x" + "".join(f"{word:064x}" for word in words), HASH, NUMBER, HASH, 0)


def test_every_topic_is_one_that_a_pool_emits() -> None:
    assert topic("TokenExchange(address,uint256,uint256,uint256,uint256)") in DEX.topics
    assert topic("AddLiquidity(address,uint256[2],uint256,uint256,uint256)") in DEX.topics
    assert len(DEX.topics) == 21
    assert DEX.pool_of(log(logs.STOP_RAMP)) == POOL_ID
    for stranger in (log(HASH), replace(log(HASH), topics=())):
        with pytest.raises(MalformedLogError):
            DEX.pool_of(stranger)


def test_an_invariant_that_no_pool_with_these_balances_can_store_is_refused_by_name() -> None:
    """Oracle: n (x1 ... xn)^(1/n) <= D <= x1 + ... + xn for any A and gamma, by the invariant's own equation."""
    for state in (PAIR_NG, TRIPLE_NG, PAIR):
        count = len(state.balances)
        common = [b * p // 10**18 for b, p in zip(state.balances, (10**18, *state.prices), strict=True)]
        least, most = math.prod(common) ** (1 / count) * count, sum(common)
        assert least <= state.invariant * (1 + 1e-9)
        assert state.invariant <= most
        for invariant in (1, 10**17 - 1, int(0.499 * least), int(most * 1.000001), 2 * most, 2**127):
            with pytest.raises(MalformedPoolError) as caught:
                checked_state(replace(state, invariant=invariant))
            assert (caught.value.pool, caught.value.field) == (state.pool.id, "invariant"), invariant
        for invariant in (int(0.501 * least), state.invariant, most):
            checked_state(replace(state, invariant=invariant))
            checked_state(replace(state, invariant=1, supply=1))


def test_a_pool_that_was_drained_to_a_few_units_may_store_whatever_withdrawals_left() -> None:
    for balances in ((1, 1), (3 * 10**6, 10**24), (0, 0)):
        for invariant in (0, 1, 10**16):
            checked_state(replace(PAIR_NG, balances=balances, invariant=invariant))


def test_withdrawals_in_equal_parts_stay_inside_the_bounds_to_the_last_share() -> None:
    """Oracle: the contract's own rounding, played by hand: D and balances shrink by the share, the share less one."""
    draw = random.Random(5)
    withdrawn = 0
    for _ in range(200):
        supply = 10 ** draw.randrange(6, 24)
        balances = [draw.randrange(1, 10 ** draw.randrange(8, 25)) for _ in "ab"]
        scales = [10**18, PAIR_NG.prices[0]]
        invariant = 2 * math.isqrt(balances[0] * balances[1] * scales[1] // scales[0]) + 1
        while supply > 1:
            amount = draw.randrange(1, supply)
            balances = [held - held * (amount - 1) // supply for held in balances]
            invariant -= invariant * amount // supply
            supply -= amount
            checked_state(replace(PAIR_NG, balances=tuple(balances), invariant=invariant, supply=supply))
            withdrawn += 1
    assert withdrawn > 2000


@pytest.mark.parametrize("name", sorted(logs.MOVING))
def test_a_log_that_does_not_say_all_marks_the_state_and_changes_nothing_else(name: Hash32) -> None:
    topics, count = logs.MOVING[name]
    told = log(name, *range(count), indexed=(BUYER,) * (topics - 1))
    after = DEX.apply(PAIR_NG, told)
    assert after == replace(PAIR_NG, stale_from=NUMBER)
    assert DEX.apply(after, replace(told, block_number=NUMBER + 9)) == after
    assert not DEX.is_outdated(after, NUMBER - 1)
    assert DEX.is_outdated(after, NUMBER)
    with pytest.raises(UnquotableError, match="read it"):
        DEX.quote_out(after, TOKENS[0], TOKENS[1], 10**18, BlockContext(NUMBER + 1, NOW, 1, TOKENS[0]))


def test_ramps_their_ends_and_fees_are_followed() -> None:
    ramp = log(logs.RAMP, 400_000, 800_000, 10**14, 2 * 10**14, NOW, NOW + 1000)
    ramping = DEX.apply(PAIR_NG, ramp)
    told = Ramp(400_000, 10**14, NOW, 800_000, 2 * 10**14, NOW + 1000)
    assert ramping == replace(PAIR_NG, ramp=told, ramp_read_at=NOW, stale_from=NUMBER)
    assert ramping.ramp.at(NOW + 250) == (500_000, 125 * 10**12)
    assert ramping.ramp.at(NOW + 1000) == (800_000, 2 * 10**14)
    assert ramping.ramp.at(0) == (400_000, 10**14)
    stopped = DEX.apply(ramping, log(logs.STOP_RAMP, 500_000, 10**14, NOW + 250))
    assert stopped.ramp.at(NOW) == (500_000, 10**14)
    assert stopped.ramp_read_at == 0
    next_fees = DEX.apply(TRIPLE_NG, log(logs.PARAMETERS_6, 1, 2, 3, 9, 9, 9))
    assert (next_fees.mid_fee, next_fees.out_fee, next_fees.fee_gamma) == (1, 2, 3)
    fees = DEX.apply(PAIR_NG, log(logs.PARAMETERS_7, 1, 2, 3, 9, 9, 9, 9))
    assert (fees.mid_fee, fees.out_fee, fees.fee_gamma) == (1, 2, 3)
    first_fees = DEX.apply(PAIR, log(logs.PARAMETERS_7, 9, 1, 2, 3, 9, 9, 9))
    assert (first_fees.mid_fee, first_fees.out_fee, first_fees.fee_gamma) == (1, 2, 3)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (log(logs.PARAMETERS_6, 1, 2, 3, 9, 9, 9), "topics"),
        (log(logs.PARAMETERS_7, 10**11, 2, 3, 9, 9, 9, 9), "mid_fee"),
        (log(logs.PARAMETERS_7, 1, 2, 3), "data"),
        (log(logs.RAMP, 400_000, 800_000, 10**14, 2 * 10**14, NOW, NOW), "future_time"),
        (log(logs.RAMP, 0, 800_000, 10**14, 2 * 10**14, NOW, NOW + 1), "initial_ann"),
        (log(logs.RAMP, 400_000, 800_000, 10**14, 1, NOW, NOW + 1), "future_gamma"),
        (log(logs.STOP_RAMP, 400_000, 10**14, NOW, indexed=(BUYER,)), "topics"),
        (log(min(logs.MOVING)), "topics"),
        (log(HASH), "topics"),
        (replace(log(logs.STOP_RAMP, 1, 2, 3), address=TOKENS[0]), "address"),
        (replace(log(logs.STOP_RAMP), topics=()), "topics"),
    ],
)
def test_a_log_that_is_not_what_it_claims_is_refused(told: Log, field: str) -> None:
    with pytest.raises(MalformedLogError) as caught:
        DEX.apply(PAIR_NG, told)
    assert (caught.value.pool, caught.value.field) == (POOL, field)


def test_the_curve_of_a_pool_after_its_ramp_has_the_ramps_end() -> None:
    ended = replace(PAIR, ramp=Ramp(1, 10**10, NOW - 9, PAIR.ramp.future_ann, PAIR.ramp.future_gamma, NOW))
    curves = Curves(2)
    curves.put(0, DEX.shape(ended, TOKENS[0], TOKENS[1]))
    curves.put(1, DEX.shape(PAIR, TOKENS[0], TOKENS[1]))
    assert hop(curves.arrays, 0, 1e20) == pytest.approx(hop(curves.arrays, 1, 1e20), rel=1e-9)
    curves.put(0, DEX.shape(replace(ended, balances=(10**3, 10**21)), TOKENS[0], TOKENS[1]))
    assert hop(curves.arrays, 0, 1e20) == (0.0, 0.0)


def test_the_gas_of_the_second_generation_is_less() -> None:
    way = (TOKENS[0], TOKENS[1])
    assert DEX.gas(PAIR_NG, *way, 1) < DEX.gas(PAIR, *way, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pool": replace(PAIR_NG.pool, tokens=TOKENS[:1])}, "tokens"),
        ({"pool": replace(PAIR_NG.pool, tokens=(TOKENS[0], TOKENS[0]))}, "tokens"),
        ({"balances": (1,)}, "balances"),
        ({"prices": ()}, "prices"),
        ({"terms": Terms(Generation.TRIPLE, (1, 1), POOL)}, "generation"),
        ({"terms": Terms(Generation.PAIR, (1, 7), POOL)}, "precisions"),
        ({"terms": Terms(Generation.PAIR, (1, 1), POOL, 7)}, "ann_factor"),
        ({"invariant": -1}, "invariant"),
        ({"mid_fee": -1}, "mid_fee"),
    ],
)
def test_a_state_that_no_pool_could_store_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        checked_state(replace(PAIR_NG, **changes))
    assert caught.value.field == field


def test_a_stranger_is_not_traded() -> None:
    with pytest.raises(UnquotableError):
        DEX.step(PAIR_NG, TOKENS[0], Address("0x" + "88" * 20))
