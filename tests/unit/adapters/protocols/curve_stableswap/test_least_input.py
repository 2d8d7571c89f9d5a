"""Oracle: brute force. Every input of small pools is quoted, the first that reaches is the least."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from unittest.mock import patch

import msgspec
import pytest
from tests.unit.adapters.protocols.curve_stableswap import pools
from tests.unit.adapters.protocols.curve_stableswap.pools import AT, token

from headrace.adapters.protocols.curve_stableswap import least_input as searching
from headrace.adapters.protocols.curve_stableswap.least_input import Saw, least_at_one_rate, least_input, least_on_saw
from headrace.adapters.protocols.curve_stableswap.paying import Paid, payer
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, Ramp
from headrace.adapters.protocols.curve_stableswap.ways import Way, way_between
from headrace.errors import UnquotableError
from headrace.kernels import least_input as kernel
from headrace.kernels.stableswap import FEE_DENOMINATOR, ProductRounding, StableCurve, StableFee, prepared, swap
from headrace.kernels.stableswap_liquidity import LiquidityPool, tokens_minted, units_withdrawn
from headrace.model.executor_step import CurveCall

SEED = 20_260_801
DIRECT = Way(CurveCall.EXCHANGE_INT128, 0, 1)


def outputs(state: CurveStableswapState, way: Way, inputs: int) -> list[int]:
    """What each input from 0 on gives; -1 where it is refused."""
    pay = payer(state, way, AT)
    found = [-1]
    for amount in range(1, inputs):
        try:
            found.append(pay(amount).amount_out)
        except ArithmeticError:
            found.append(-1)
    return found


def least_of(given: list[int], wanted: int) -> int:
    return next(amount for amount, out in enumerate(given) if out >= wanted)


def has_falls(given: list[int]) -> bool:
    return any(0 <= after < before for before, after in pairwise(given))


def sawn_state(draw: random.Random) -> CurveStableswapState:
    """NG, of coins with two decimals and four: off the peg each input is charged more than the one before."""
    multiplier = int(FEE_DENOMINATOR * draw.choice((1.5, 2, 5, 20, 100)))
    fee = draw.choice((10**6, 4 * 10**6, 4 * 10**7, 10**8))
    a = int(10 ** draw.uniform(2.5, 5.5))
    fine = draw.choice((1, 100))
    size = draw.uniform(2, 3.3)
    first, second = (int(10 ** (size + draw.uniform(-0.7, 0.7))) for _ in range(2))
    return msgspec.structs.replace(
        pools.rated(),
        balances=(first, second * fine),
        rates=(10**34, 10**34 // fine),
        fee=fee,
        offpeg_multiplier=multiplier,
        ramp=Ramp(a, a, 0, 0),
    )


def sawn_cases(pools_drawn: int) -> list[tuple[CurveStableswapState, list[int], list[int]]]:
    """States, the outputs of all inputs, amounts wanted: random ones and the most there is."""
    draw, cases = random.Random(SEED), []
    for _ in range(pools_drawn):
        state = sawn_state(draw)
        given = outputs(state, DIRECT, 4000)
        most = max(given)
        cases.append((state, given, sorted({draw.randint(1, most) for _ in range(40)} | {most - 1, most} - {0, -1})))
    return cases


def test_where_a_fee_grows_off_the_peg_the_least_input_is_the_least_of_all() -> None:
    reached: Counter[str] = Counter()
    for state, given, wanted in sawn_cases(40):
        falls = has_falls(given)
        is_before = not payer(state, DIRECT, AT)(20).is_past_peg
        for amount in wanted:
            assert least_input(state, DIRECT, AT, amount) == least_of(given, amount), (state, amount)
            reached["output falls" if falls else "output rises"] += 1
            reached["before the peg" if is_before else "past the peg"] += 1
        too_much = least_input(state, DIRECT, AT, max(given) + 1)
        assert too_much is None or too_much >= len(given)
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached.values()) >= 300
    assert len(reached) == 4


def made_up(amount: int) -> Paid:
    """The fee rises by a step that costs more than each unit of input brings."""
    return at_step(amount // 40)(amount)._replace(fee_rate=amount // 40)


def at_step(step: int) -> Callable[[int], Paid]:
    def pay(amount: int) -> Paid:
        if amount < 3:
            raise OverflowError
        return Paid(10 * amount - 35 * step, step, is_past_peg=True)

    return pay


def misses_on_saws() -> int:
    """Of some saws, real and made up, how many least inputs are others than brute force finds."""
    missed = 0
    for state, given, wanted in sawn_cases(8):
        for amount in wanted:
            missed += least_input(state, DIRECT, AT, amount) != least_of(given, amount)
    given = [-1, -1, -1, *(made_up(x).amount_out for x in range(3, 2000))]
    for amount in range(1, 3000):
        found = searching.least_on_saw(Saw(made_up, at_step, 0), amount, 2 * (amount // 9 + 3))
        missed += found != least_of(given, amount)
    return missed


def first_crossing(saw: Saw, wanted: int, guess: int) -> int | None:
    return least_at_one_rate(saw.pay, wanted, guess)


def at_the_least_rate(saw: Saw, wanted: int, guess: int) -> int | None:
    return least_at_one_rate(saw.pay_at(saw.fee_rate_min), wanted, guess)


def from_a_rate_too_high(saw: Saw, wanted: int, guess: int) -> int | None:
    return least_on_saw(saw._replace(fee_rate_min=saw.fee_rate_min * 2 + 1), wanted, guess)


def peg_not_seen(pay: object, amount: int, wanted: int) -> bool:
    del pay, amount, wanted
    return True


def test_the_saws_are_searched_without_a_miss() -> None:
    assert misses_on_saws() == 0


@pytest.mark.parametrize("mutant", [first_crossing, at_the_least_rate, from_a_rate_too_high])
def test_other_searches_of_a_saw_miss(mutant: Callable[[Saw, int, int], int | None]) -> None:
    with patch.object(searching, "least_on_saw", mutant):
        assert misses_on_saws() > 10


def test_a_climb_that_takes_too_long_is_given_up_by_name() -> None:
    ((state, given, _),) = sawn_cases(1)
    with patch.object(searching, "_CLIMBS_MAX", 0), pytest.raises(UnquotableError, match="not told so near"):
        least_input(state, DIRECT, AT, max(given))


def test_a_climb_that_does_not_see_the_peg_misses() -> None:
    with patch.object(searching, "_is_settled", peg_not_seen):
        assert misses_on_saws() > 0


def test_at_one_fee_rate_more_input_never_buys_less() -> None:
    """Down to some ten units of a balance: the kernel shows it for more than 32."""
    draw, compared = random.Random(SEED), 0
    for _ in range(150):
        size = draw.uniform(1, 6)
        balances = [int(10 ** (size + draw.uniform(0, 2.5))) for _ in range(draw.choice((2, 3, 4)))]
        precision = draw.choice((1, 100))
        curve = StableCurve(int(10 ** draw.uniform(0, 4)) * precision, precision, draw.choice(list(ProductRounding)))
        pool = prepared(curve, balances, StableFee(draw.choice((0, 4_000_000))))
        start, before = draw.choice((0, int(10 ** draw.uniform(0, 9)))), -1
        for amount in range(start, start + 120):
            try:
                net = swap(pool, 0, 1, amount, held_back=0).net
            except ArithmeticError:
                continue
            assert net >= before, (pool, amount)
            before, compared = net, compared + 1
    assert compared >= 10_000


def meta_state(draw: random.Random) -> CurveStableswapState:
    """A metapool whose base pool holds some hundred to hundred thousand units of coins with 18 decimals."""
    size, spread = draw.uniform(2.5, 5), draw.choice((0.1, 1.2))
    coins = tuple(int(10 ** (size + draw.uniform(-spread, spread))) + 20 for _ in range(3))
    a = int(10 ** draw.uniform(0.7, 3.3))
    base = pools.plain()
    terms = msgspec.structs.replace(
        base.terms,
        decimals=(18, 18, 18),
        rounding=draw.choice(list(ProductRounding)),
        withdrawal_held_back=draw.choice((0, 1)),
    )
    rates = (10**18,) * 3
    fee = draw.choice((0, 10**6, 4 * 10**7))
    base = msgspec.structs.replace(
        base, terms=terms, balances=coins, rates=rates, fee=fee, ramp=Ramp(a, a, 0, 0), supply=sum(coins)
    )
    state = pools.meta(base)
    own = tuple(int(10 ** (size + draw.uniform(-0.5, 0.5))) + 20 for _ in range(2))
    return msgspec.structs.replace(state, balances=own, base=msgspec.structs.replace(base, supply=sum(coins)))


def misses_through_base_pools(count: int) -> tuple[int, Counter[str]]:
    draw, reached, missed = random.Random(SEED + 1), Counter[str](), 0
    for turn in range(count):
        state = meta_state(draw)
        pair = (token(1), token(21)) if turn % 2 else (token(21), token(1))
        way = way_between(state, *pair)
        given = outputs(state, way, 500)
        most = max(given)
        if most < 1:
            continue
        falls = has_falls(given)
        for wanted in {draw.randint(1, most) for _ in range(40)}:
            missed += least_input(state, way, AT, wanted) != least_of(given, wanted)
            reached[("deposit" if turn % 2 else "withdrawal") + (", falling" if falls else "")] += 1
    return missed, reached


def test_through_a_base_pool_the_least_input_is_the_least_of_all() -> None:
    missed, reached = misses_through_base_pools(60)
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert missed == 0
    assert reached["deposit"] >= 1000
    assert reached["withdrawal"] >= 1000


def first_found(reaches: kernel.Reaches, among: range) -> int:
    del reaches
    return among[-1]


def from_above(reaches: kernel.Reaches, among: range) -> int:
    found = among[-1]
    while found - 1 in among and reaches(found - 1):
        found -= 1
    return found


def every_other(reaches: kernel.Reaches, among: range) -> int:
    return next((amount for amount in among[::2] if reaches(amount)), among[-1])


@pytest.mark.parametrize("mutant", [first_found, from_above, every_other])
def test_other_searches_of_a_trembling_output_miss(mutant: Callable[[kernel.Reaches, range], int]) -> None:
    """Through base pools most outputs do not tremble within the inputs tried: here all do."""
    drawn = random.Random(SEED + 2)
    missed = 0
    for _ in range(100):
        given = [drawn.randint(-3, 0) + amount // 2 for amount in range(200)]
        for wanted in range(1, 80):
            with patch.object(kernel, "first_reaching", mutant):
                found = kernel.least_trembling(given.__getitem__, wanted, 6, guess=50, input_max=199)
            missed += found != least_of(given, wanted)
    assert missed > 100


TREMBLE_MAX = 6  # twice what these pools show; 32 are allowed for


def largest_tremble(given: list[int]) -> int:
    most, tremble = -1, 0
    for out in given:
        tremble, most = max(tremble, most - out), max(most, out)
    return tremble


def test_what_a_base_pool_mints_and_pays_trembles_by_less_than_is_allowed_for() -> None:
    draw, reached = random.Random(SEED + 3), Counter[str]()
    for _ in range(600):
        size, count, precision = draw.uniform(16, 29), draw.choice((2, 3, 4)), draw.choice((1, 100))
        coins = [int(10 ** (size + draw.uniform(-1.2, 1.2))) for _ in range(count)]
        curve = StableCurve(int(10 ** draw.uniform(0.6, 4)) * precision, precision, draw.choice(list(ProductRounding)))
        fee = StableFee(draw.choice((0, 10**6, 4 * 10**6, 4 * 10**7)))
        pool = LiquidityPool(curve, tuple(coins), (10**18,) * count, fee, sum(coins))
        start = int(10 ** draw.uniform(1, size - 0.5))
        quotes: dict[str, Callable[[int], int]] = {
            "minted": partial(tokens_minted, pool, 0),
            "withdrawn": partial(units_withdrawn, pool, 0, held_back=1),
        }
        for what, quote in quotes.items():
            try:
                tremble = largest_tremble([quote(amount) for amount in range(start, start + 60)])
            except ArithmeticError:
                continue
            reached[f"{what} by {tremble}"] += 1
            assert tremble <= TREMBLE_MAX
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert reached["minted by 0"] + reached["minted by 1"] >= 300
    assert reached["withdrawn by 0"] + reached["withdrawn by 1"] >= 300
    assert searching._TREMBLE >= 5 * TREMBLE_MAX
