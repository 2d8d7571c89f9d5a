"""Oracles: quotes that chains gave, exact roots of the invariant in decimals, brute force over small pools.

The quotes of three pools are public facts of their chains: `get_dy` at a block, on the state of that block.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import partial
from unittest.mock import patch

import msgspec
import pytest

from headrace.kernels import cryptoswap, cryptoswap_cubic, cryptoswap_inverse, cryptoswap_newton
from headrace.kernels.cryptoswap import (
    FEE_ONE,
    Backing,
    CryptoSwapPool,
    Fees,
    Generation,
    amount_out,
    balance_after,
    fee,
    invariant_of,
    mean_down,
)
from headrace.kernels.cryptoswap_cubic import cube_root
from headrace.kernels.cryptoswap_inverse import amount_in, candidates, tremble
from headrace.kernels.cryptoswap_newton import A_MULTIPLIER, ONE, Curve, DustError, RevertError
from headrace.kernels.least_input import TRIES_MAX

SEED = 20_260_401
Quoted = tuple[int, int, int, int]  # index in, index out, amount in, amount out
FEES = Fees(3_000_000, 30_000_000, 5 * 10**14)


def pool_of(
    generation: Generation,
    balances: Sequence[int],
    prices: Sequence[int],
    curve: tuple[int, int, int],
    fees: Fees = FEES,
) -> CryptoSwapPool:
    """Coins of 18 decimals; `curve` is A n^n, gamma, D."""
    ann, gamma, invariant = curve
    scales = (ONE, *prices)
    return CryptoSwapPool(generation, tuple(balances), scales, tuple(prices), ann, gamma, invariant, fees)


# Ethereum, block 24,712,721: crvUSD/WETH/CRV at 0x4ebdf703948ddcea3b11f675b4d1fba9d2414a14
TRICRYPTO_NG = pool_of(
    Generation.TRIPLE_NG,
    (1471541041014710913533486, 706531798694889864463, 6664011517589589102184756),
    (2082460744413979477174, 221948547842740329),
    (2_700_000, 1_300_000_000_000, 4421929745644828180532192),
    Fees(2_999_999, 80_000_000, 350_000_000_000_000),
)
# Ethereum, block 24,712,721: crvUSD/FXN at 0xfb8b95fb2296a0ad4b6b1419fdaa5aa5f13e4009
TWOCRYPTO_NG = pool_of(
    Generation.PAIR_NG,
    (592550798526815230356, 1249602758844586860966),
    (607583544095412307,),
    (400_000, 145_000_000_000_000, 1342610905474584912669),
    Fees(26_000_000, 45_000_000, 230_000_000_000_000),
)
# Gnosis, block 47,805,120: EURe/3Crv at 0x056c6c5e684cec248635ed86033378cc444459b0
TWOCRYPTO_GROUPED = pool_of(
    Generation.PAIR_GROUPED,
    (168024079489927527752180, 182559895614877999742329),
    (871840195201223331,),
    (20_000_000, 10**16, 327186996362370014692089),
    Fees(3_000_000, 45_000_000, 3 * 10**17),
)
RECORDED: list[tuple[CryptoSwapPool, list[Quoted]]] = [
    (TRICRYPTO_NG, [(0, 1, 10**21, 479752989856520837)]),
    (TWOCRYPTO_NG, [(0, 1, 10**20, 178410447169437941926)]),
    (
        TWOCRYPTO_GROUPED,
        [
            (0, 1, 1680240794899275520, 1926500247714547539),
            (1, 0, 1825598956148780288, 1591249577697396266),
            (0, 1, 16802407948992753664, 19264997630678407251),
            (1, 0, 18255989561487800320, 15912494097192457806),
            (0, 1, 168024079489927544832, 192649484454823814952),
            (1, 0, 182559895614877990912, 159124774458311913619),
            (0, 1, 1680240794899275317248, 1926437837811611174923),
            (1, 0, 1825598956148780171264, 1591232257233010098072),
            (0, 1, 16802407948992754221056, 19239691918711889414037),
            (1, 0, 18255989561487800664064, 15908789764341695653214),
        ],
    ),
]


def wrong_quotes(pool: CryptoSwapPool, quotes: Sequence[Quoted]) -> int:
    return sum(outcome(partial(amount_out, pool, i, j, amount)) != paid for i, j, amount, paid in quotes)


def outcome(quote: Callable[[], int]) -> int | str:
    try:
        return quote()
    except (RevertError, ZeroDivisionError) as error:
        return str(error)


@pytest.mark.parametrize(("pool", "quotes"), RECORDED, ids=["tricrypto-NG", "twocrypto-NG", "twocrypto grouped"])
def test_quotes_equal_those_that_chains_gave(pool: CryptoSwapPool, quotes: list[Quoted]) -> None:
    assert wrong_quotes(pool, quotes) == 0


def test_the_other_generations_answer_otherwise() -> None:
    (triple, triple_quotes), (pair, pair_quotes), (grouped, grouped_quotes) = RECORDED
    replace = msgspec.structs.replace
    assert wrong_quotes(replace(triple, generation=Generation.TRIPLE), triple_quotes)
    assert wrong_quotes(replace(pair, generation=Generation.PAIR), pair_quotes)
    assert wrong_quotes(replace(pair, fees=replace(pair.fees, has_curved_fee=True)), pair_quotes)
    assert wrong_quotes(replace(grouped, generation=Generation.PAIR), grouped_quotes) == len(grouped_quotes)


FAULTS: dict[str, tuple[object, str, object, int]] = {
    "three steps of a cube root less": (cryptoswap_cubic, "_CUBE_ROUNDS", 4, 0),
    "always by Newton": (math, "isqrt", lambda _: 0, 0),
    "a pair's cubic scaled less": (cryptoswap_cubic, "_PAIR_SCALES", ((1, 10**20),), 1),
    "iterations go on": (cryptoswap_newton, "TOLERANCE", 10**17, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_recorded_quotes_catch_planted_faults(name: str) -> None:
    module, attribute, planted, place = FAULTS[name]
    with patch.object(module, attribute, planted):
        assert wrong_quotes(*RECORDED[place]), name


def root_in_decimals(pool: CryptoSwapPool, others: Sequence[int]) -> Decimal:
    """The balance that solves the whitepaper's invariant, by halving; 60 digits."""
    count = pool.generation.coins
    ann, gamma = Decimal(pool.ann) / A_MULTIPLIER, Decimal(pool.gamma) / ONE
    invariant = Decimal(pool.invariant)
    product, total = Decimal(1), Decimal(0)
    for other in others:
        product, total = product * other * count / invariant, total + other
    low, high = Decimal(0), Decimal(200) * invariant
    for _ in range(240):
        middle = (low + high) / 2
        k0 = product * middle * count / invariant
        value = ann * k0 * gamma**2 / (gamma + 1 - k0) ** 2 * ((total + middle) / invariant - 1) + k0 - 1
        low, high = (low, middle) if value > 0 else (middle, high)
    return low


def d_in_decimals(pool: CryptoSwapPool, common: Sequence[int]) -> Decimal:
    """D that solves the invariant, by halving between n times the geometric mean and the sum; 60 digits."""
    count = pool.generation.coins
    ann, gamma = Decimal(pool.ann) / A_MULTIPLIER, Decimal(pool.gamma) / ONE
    product, total = Decimal(1), Decimal(sum(common))
    for balance in common:
        product *= balance
    low, high = count * product ** (Decimal(1) / count), total
    for _ in range(200):
        middle = (low + high) / 2
        k0 = product * count**count / middle**count
        value = ann * k0 * gamma**2 / (gamma + 1 - k0) ** 2 * (total / middle - 1) + k0 - 1
        low, high = (middle, high) if value > 0 else (low, middle)
    return low


def random_pool(draw: random.Random, generation: Generation) -> CryptoSwapPool:
    """On its curve; prices 1, balances from equal to 30 times apart."""
    count = generation.coins
    whole = 10 ** draw.uniform(20, 27)
    spread = draw.choice((0.02, 0.5, 1.5))
    balances = [int(whole * 10 ** draw.uniform(-spread / 2, spread / 2)) for _ in range(count)]
    ann = int(10 ** draw.uniform(4.5, 7.2))
    gamma = int(10 ** draw.uniform(11, 15.2))
    pool = pool_of(generation, balances, (ONE,) * (count - 1), (ann, gamma, 0))
    return msgspec.structs.replace(pool, invariant=invariant_of(pool, balances))


# how far a solution may be from the root, of D: the second grouping has the wrong derivative and stops early
ROOT_BOUNDS = dict.fromkeys(Generation, 1e-13) | {Generation.PAIR_GROUPED: 1e-8}


@pytest.mark.parametrize("generation", list(Generation))
def test_solutions_are_roots_of_the_invariant(generation: Generation) -> None:
    draw, reached, worst = random.Random(SEED), Counter[str](), 0.0
    with localcontext(prec=60):
        for _ in range(60):
            pool = random_pool(draw, generation)
            common = list(pool.balances)
            assert abs(pool.invariant / d_in_decimals(pool, common) - 1) < Decimal("1e-13")
            index_out = draw.randrange(len(common))
            common[index_out - 1] += int(common[index_out - 1] * 10 ** draw.uniform(-9, 0))
            others = [balance for index, balance in enumerate(common) if index != index_out]
            try:
                left, k0 = balance_after(pool, common, index_out, pool.invariant)
            except RevertError:
                reached["refused"] += 1
                continue
            reached["closed form" if k0 else "Newton"] += 1
            error = abs(left - root_in_decimals(pool, others)) / pool.invariant
            worst = max(worst, float(error))
            assert error < ROOT_BOUNDS[generation], pool
    print(generation, dict(reached), f"worst {worst:.1e} of D")  # noqa: T201 - a test that passes says what it covered
    assert reached["closed form" if generation.is_next else "Newton"] >= 40


def test_cube_roots_are_right_to_the_last_digits() -> None:
    draw = random.Random(SEED)
    with localcontext(prec=90):
        for digits in (1, 5, 18, 30, 40, 42, 50, 58, 60, 70, 76):
            value = draw.randrange(10 ** (digits - 1), 10**digits)
            lost = (
                0 if value < cryptoswap_cubic._CUBE_SCALED else 6 if value < cryptoswap_cubic._CUBE_SCALED * ONE else 12
            )
            exact = (Decimal(value) * 10**36) ** (Decimal(1) / 3)
            assert abs(cube_root(value) - exact) <= max(exact * Decimal("1e-17"), 10**lost)
    assert cube_root(0) == 0


def test_the_fee_is_the_documented_fraction_rounded_down() -> None:
    draw = random.Random(SEED)
    for generation in Generation:
        for has_curved_fee in (False, True):
            fees = Fees(2_600_000, 45_000_000, 23 * 10**13, has_curved_fee)
            pool = msgspec.structs.replace(random_pool(draw, generation), fees=fees)
            count, common = generation.coins, pool.balances
            even = Fraction(count**count)
            for balance in common:
                even *= Fraction(balance, sum(common))
            gamma = Fraction(fees.fee_gamma, ONE)
            share = gamma * even / (gamma * even + 1 - even) if has_curved_fee else gamma / (gamma + 1 - even)
            exact = fees.mid_fee * share + fees.out_fee * (1 - share)
            assert 0 <= fee(pool, common) - int(exact) <= 1
    plain = msgspec.structs.replace(TRICRYPTO_NG, fees=Fees(10**6, 10**8, 0))
    assert 10**6 <= fee(plain, plain.common(plain.balances)) < 10**8


def coarse_pool(generation: Generation) -> CryptoSwapPool:
    """Coins of two decimals: outputs are far coarser than the noise of solutions, so they never fall."""
    count = generation.coins
    prices = (3 * ONE, ONE // 2)[: count - 1]
    scales = tuple(10**16 * price for price in (ONE, *prices))
    balances = (40_000, 12_000, 90_000)[:count]
    pool = CryptoSwapPool(generation, balances, scales, prices, 400_000, 145 * 10**12, 0, FEES)
    return msgspec.structs.replace(pool, invariant=invariant_of(pool, balances))


@pytest.mark.parametrize("generation", list(Generation))
def test_the_inverse_is_the_least_input_of_all(generation: Generation) -> None:
    pool = coarse_pool(generation)
    for way in ((0, 1), (1, 0)):
        outputs = [outcome(partial(amount_out, pool, *way, x)) for x in range(1, 1500)]
        paid = [(x, out) for x, out in enumerate(outputs, 1) if isinstance(out, int)]
        assert [out for _, out in paid] == sorted(out for _, out in paid)
        for wanted in range(1, paid[-1][1] + 1, 7):
            assert amount_in(pool, *way, wanted) == next(x for x, out in paid if out >= wanted)


def trembling_pools(count: int) -> list[CryptoSwapPool]:
    """D of 1 to 200 times 10^18 units of a coin, so that a tremble of some 10^-18 of D is told in single units."""
    draw, found = random.Random(SEED + 1), []
    for turn in range(count):
        drawn = random_pool(draw, list(Generation)[turn % len(Generation)])
        size = 10 ** draw.uniform(18, 20.3) / drawn.invariant
        steep = Fees(2_600_000, 45_000_000, draw.choice((5 * 10**14, 10**16)))
        fees = Fees(0, 0, 10**15) if turn % 3 == 0 else steep
        pool = msgspec.structs.replace(drawn, balances=tuple(int(x * size) for x in drawn.balances), fees=fees)
        try:
            found.append(msgspec.structs.replace(pool, invariant=invariant_of(pool, pool.balances)))
        except (RevertError, ZeroDivisionError):
            continue
    return found


def searched_by_brute_force(count: int) -> Counter[str]:
    """Of outputs that inputs one after another give, the first that reaches each, and what was found."""
    draw, reached, inputs = random.Random(SEED + 2), Counter[str](), 900
    for pool in trembling_pools(count):
        start = int(pool.balances[0] * 10 ** draw.uniform(-6, 0.3))
        given = [outcome(partial(amount_out, pool, 0, 1, amount)) for amount in range(start, start + inputs)]
        outs = [out for out in given if isinstance(out, int)]
        if len(outs) < inputs:
            continue
        kind = "falls" if outs != sorted(outs) else "rises"
        for wanted in {draw.choice(outs[inputs // 2 :]) for _ in range(10)}:
            among = candidates(pool, 0, 1, wanted)
            least = start + next(at for at, out in enumerate(outs) if out >= wanted)
            if among[0] < start:
                continue
            found = amount_in(pool, 0, 1, wanted)
            assert amount_out(pool, 0, 1, found) >= wanted
            is_tried = "all tried" if len(among) <= TRIES_MAX else "in strides"
            reached[f"{kind}, {is_tried}, {'least' if found == least else 'not least'}"] += 1
            reached["below the bound"] += least < among[0]
    return reached


def test_where_the_output_trembles_and_all_candidates_are_tried_the_least_is_found() -> None:
    reached = searched_by_brute_force(72)
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert reached["below the bound"] == 0
    assert reached["falls, all tried, not least"] == reached["rises, all tried, not least"] == 0
    assert min(reached["falls, all tried, least"], reached["rises, all tried, least"]) >= 60
    strided = sum(reached[f"{kind}, in strides, least"] for kind in ("falls", "rises"))
    assert strided > 4 * (reached["falls, in strides, not least"] + reached["rises, in strides, not least"])


def last_of(reaches: object, among: range) -> int:
    del reaches
    return among[-1]


def every_other(reaches: Callable[[int], bool], among: range) -> int:
    return next((amount for amount in among[::2] if reaches(amount)), among[-1])


@pytest.mark.parametrize(
    ("attribute", "planted"),
    [("first_reaching", last_of), ("first_reaching", every_other), ("_TREMBLES", 0)],
    ids=["from the wrong side", "every other", "no tremble"],
)
def test_faults_in_the_search_are_caught(attribute: str, planted: object) -> None:
    with patch.object(cryptoswap_inverse, attribute, planted):
        reached = searched_by_brute_force(24)
    wrong = sum(count for what, count in reached.items() if what.endswith("all tried, not least"))
    assert wrong + reached["below the bound"] > 0


def test_a_bound_at_a_fee_that_is_too_high_is_seen_to_be_none() -> None:
    with (
        patch.object(cryptoswap_inverse, "_fee_rate", return_value=FEE_ONE // 100),
        pytest.raises(AssertionError, match="what reaches gives enough"),
    ):
        searched_by_brute_force(24)


def test_solutions_tremble_by_less_than_is_allowed_for() -> None:
    draw, worst = random.Random(SEED + 3), dict.fromkeys(Generation, 0.0)
    for turn in range(240):
        pool = random_pool(draw, list(Generation)[turn % len(Generation)])
        common, unit = list(pool.balances), pool.invariant // ONE + 1
        held, start, least = common[0], int(common[0] * 10 ** draw.uniform(-6, 0.5)), None
        for amount in sorted(draw.randrange(start, start + unit * draw.choice((1, 3, 10))) for _ in range(40)):
            common[0] = held + amount
            try:
                left, _ = balance_after(pool, common, 1, pool.invariant)
            except RevertError:
                continue
            least = left if least is None else min(least, left)
            worst[pool.generation] = max(worst[pool.generation], (left - least) / unit)
    print("tremble, 10^-18 of D", {one.name: round(most, 2) for one, most in worst.items()})  # noqa: T201 - as above
    assert 0.1 < max(worst.values()) <= 2.5
    assert tremble(pool) == cryptoswap_inverse._TREMBLES * unit


def test_no_input_buys_all_there_is() -> None:
    for pool in (coarse_pool(Generation.PAIR), coarse_pool(Generation.TRIPLE_NG), TWOCRYPTO_NG):
        with pytest.raises(RevertError, match="no input"):
            amount_in(pool, 0, 1, pool.balances[1])
        ramping = msgspec.structs.replace(pool, is_ramping=True)
        assert amount_in(ramping, 0, 1, pool.balances[1] // 10) > 0


def backed(pool: CryptoSwapPool) -> CryptoSwapPool:
    """With a supply at which the virtual price is what the balances give."""
    count, supply = pool.generation.coins, 10**22
    invariant = invariant_of(pool, pool.balances)
    parts = [invariant // count, *(invariant * ONE // (count * price) for price in pool.prices)]
    virtual_price = ONE * mean_down(pool, parts) // supply
    return msgspec.structs.replace(pool, invariant=invariant, backing=Backing(supply, virtual_price))


@pytest.mark.parametrize("pool", [backed(pool) for pool in (TRICRYPTO_NG, TWOCRYPTO_NG)], ids=["three", "two"])
def test_a_swap_too_small_to_raise_the_virtual_price_is_a_loss(pool: CryptoSwapPool) -> None:
    assert pool.backing is not None
    before = msgspec.structs.replace(pool.backing, virtual_price=pool.backing.virtual_price + 10**6)
    with pytest.raises(DustError, match="Loss"):
        amount_out(msgspec.structs.replace(pool, backing=before), 0, 1, 10**10)
    for amount in (10**16, 10**20):
        unbacked = msgspec.structs.replace(pool, backing=None)
        assert amount_out(pool, 0, 1, amount) == amount_out(unbacked, 0, 1, amount)


def test_a_certain_profit_is_not_computed_and_a_doubtful_one_is() -> None:
    pool = backed(TWOCRYPTO_NG)
    with patch.object(cryptoswap, "_refuse_loss", side_effect=RevertError("computed")):
        assert amount_out(pool, 0, 1, 10**20) > 0
        with pytest.raises(RevertError, match="computed"):
            amount_out(pool, 0, 1, 10**9)
        with patch.object(cryptoswap, "_SHARE_MAX", 10**18), pytest.raises(RevertError, match="computed"):
            amount_out(pool, 1, 0, pool.balances[1] // 20)


def refused(pool: CryptoSwapPool, amount: int = 10**18) -> str:
    with pytest.raises(RevertError) as caught:
        amount_out(pool, 0, 1, amount)
    return str(caught.value)


def test_what_the_contract_refuses_is_refused_by_name() -> None:
    replace = msgspec.structs.replace
    pair = coarse_pool(Generation.PAIR)
    for invariant in (10**17 - 1, 10**33 + 1):
        assert "value of D" in refused(replace(pair, invariant=invariant))
    assert "largest balance" in refused(replace(pair, balances=(0, 0), scales=(1, 1), is_ramping=True), 1)
    lopsided = replace(pair, balances=(10**6, 1), is_ramping=True)
    assert "smaller balances" in refused(lopsided, 1)
    assert "balances after D" in refused(replace(pair, balances=(10**8, 12_000), is_ramping=True), 1)
    assert "values of the balances" in refused(replace(pair, invariant=10**24))
    assert "less than nothing" in refused(replace(pair, invariant=pair.invariant * 2), 1)
    wide = replace(pair, generation=Generation.PAIR_NG_WIDE, gamma=10**17)
    assert "values of the balances" in refused(wide, 20 * pair.balances[0])
    assert amount_out(replace(pair, generation=Generation.PAIR_NG), 0, 1, 10 * pair.balances[0]) > 0


def test_iterations_that_cannot_end_are_refused() -> None:
    newton = cryptoswap_newton
    with patch.object(newton, "ROUNDS_MAX", 1):
        attempts: tuple[Callable[[], int], ...] = (
            partial(newton.balance_by_newton, Curve(2, 400_000, 10**14, 2 * ONE), (ONE // 3,)),
            partial(newton.invariant_by_newton, 400_000, 10**14, (5 * ONE, 4 * ONE), 9 * ONE),
            partial(newton.mean_by_newton, (5 * ONE, ONE)),
        )
        for attempt in attempts:
            with pytest.raises(RevertError, match="not converge"):
                attempt()
    with pytest.raises(RevertError, match="256 bits"):
        newton.invariant_by_newton(1, 10**10, (10**40, 10**37), 10**40)
    with pytest.raises(RevertError, match="a step of D is negative"):
        newton.invariant_by_newton(10**7, 10**10, (100 * ONE, 100 * ONE), 5 * ONE)
    with pytest.raises(RevertError, match="derivative of D is negative"):
        newton.invariant_by_newton(16_639_517, 7 * 10**16, (2_167 * ONE, 1_550 * ONE), 4_650 * ONE)
    with pytest.raises(RevertError, match="signed word"):
        cryptoswap_cubic.balance_of_three(Curve(3, 10**40, 10**16, 10**24), 10**24, 10**24)
