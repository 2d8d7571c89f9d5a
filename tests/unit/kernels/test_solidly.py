"""Oracles: brute force over every input of small pairs, and the invariant itself in rational numbers."""

import random
from collections import Counter
from fractions import Fraction
from unittest.mock import patch

import msgspec
import pytest

from headrace.kernels import solidly, solidly_shape
from headrace.kernels.solidly import Root, SolidlyPair, accepts, amount_in, amount_out, traded

SEED = 20_260_108
INPUTS = 800


def small_pairs(count: int) -> list[SolidlyPair]:
    """Pairs of some tokens of few decimals, so that every input can be looked at."""
    draw, pairs = random.Random(SEED), []
    for _ in range(count):
        scale_in, scale_out = draw.choice(((10**2, 10**2), (10**2, 10**18), (10**4, 10**3), (10**2, 10**6)))
        pairs.append(
            SolidlyPair(
                reserve_in=int(draw.uniform(1, 12) * 100),
                reserve_out=int(10 ** draw.uniform(0, 2) * scale_out),
                scale_in=scale_in,
                scale_out=scale_out,
                fee=draw.choice((0, 1, 5, 30)),
                fee_unit=10_000,
                is_stable=draw.random() < 0.8,
                root=draw.choice(list(Root)),
                is_zero_for_one=draw.random() < 0.5,
            )
        )
    return pairs


def curve_out(pair: SolidlyPair, net: int) -> Fraction:
    """What the stable invariant itself pays for a net input, to a 2^-80th of the reserve, from below."""
    x, y = Fraction(pair.reserve_in, pair.scale_in), Fraction(pair.reserve_out, pair.scale_out)
    after, k = x + Fraction(net, pair.scale_in), x**3 * y + x * y**3
    low, high = Fraction(0), Fraction(1)
    for _ in range(80):
        middle = (low + high) / 2
        left = y * (1 - middle)
        low, high = (middle, high) if after**3 * left + after * left**3 >= k else (low, middle)
    return low * pair.reserve_out


def net_of(pair: SolidlyPair, amount: int) -> int:
    return amount - amount * pair.fee // pair.fee_unit


def test_quotes_follow_the_invariant_to_the_units_of_its_roundings() -> None:
    reached: Counter[str] = Counter()
    for pair in small_pairs(120):
        if not pair.is_stable:
            continue
        for amount in (1, 7, 200, INPUTS, 10**6):
            given = amount_out(pair, amount)
            if given is None:
                reached["reverts"] += 1
                continue
            ideal = curve_out(pair, net_of(pair, amount))
            slack = 1 + Fraction(200 * pair.scale_out, 10**18)
            assert ideal - slack <= given <= ideal + slack, (pair, amount, given)
            reached[pair.root.name] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached[root.name] for root in Root) >= 100


def test_the_later_root_never_ends_below_the_curve_and_the_first_does() -> None:
    """So the pair takes each of its own quotes, or not."""
    refused: Counter[Root] = Counter()
    for pair in small_pairs(120):
        for amount in range(1, INPUTS, 11):
            given = amount_out(pair, amount)
            if given and pair.is_stable:
                refused[pair.root] += not accepts(pair, amount, given)
    print("refused", dict(refused))  # noqa: T201 - a test that passes says what it covered
    assert refused[Root.VELODROME_V2] == 0
    assert refused[Root.SOLIDLY] >= 20


def test_the_least_input_is_the_least_of_all_inputs() -> None:
    draw = random.Random(SEED + 1)
    reached: Counter[str] = Counter()
    for pair in small_pairs(30):
        outputs = [traded(pair, amount) for amount in range(INPUTS)]
        best = max(output or 0 for output in outputs)
        for wanted in {draw.randint(1, best) for _ in range(25)}:
            least = next(at for at, output in enumerate(outputs) if output is not None and output >= wanted)
            assert amount_in(pair, wanted) == least, (pair, wanted)
            reached[f"{pair.root.name}, {'stable' if pair.is_stable else 'volatile'}"] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert len(reached) == 4
    assert min(reached.values()) >= 20


def misses_in_small_pairs(count: int) -> int:
    missed = 0
    for pair in small_pairs(count):
        outputs = [traded(pair, amount) or 0 for amount in range(INPUTS)]
        for wanted in range(1, max(outputs) + 1, max(1, max(outputs) // 40)):
            missed += amount_in(pair, wanted) != next(at for at, output in enumerate(outputs) if output >= wanted)
    return missed


def uneven_pairs(count: int) -> list[SolidlyPair]:
    """Of 0.001 to 10^8 tokens a side, up to 3,000 times uneven, of any decimals."""
    draw, pairs = random.Random(SEED + 5), []
    for _ in range(count):
        scale_in, scale_out = (10 ** draw.choice((2, 6, 8, 18, 18)) for _ in range(2))
        size, spread = draw.uniform(-1.0, 8.0), draw.choice((0.2, 1.0, 2.0, 3.5))
        held_in, held_out = (10 ** (size + draw.uniform(-spread, spread) / 2) for _ in range(2))
        pairs.append(
            SolidlyPair(
                reserve_in=int(scale_in * held_in) + 2,
                reserve_out=int(scale_out * held_out) + 2,
                scale_in=scale_in,
                scale_out=scale_out,
                fee=draw.choice((0, 1, 5, 30)),
                fee_unit=10_000,
                is_stable=True,
                root=draw.choice(list(Root)),
                is_zero_for_one=draw.random() < 0.5,
            )
        )
    return pairs


def tokens_held(pair: SolidlyPair) -> Fraction:
    """Of what it holds less of."""
    return min(Fraction(pair.reserve_in, pair.scale_in), Fraction(pair.reserve_out, pair.scale_out))


def test_the_least_input_of_uneven_pairs_has_none_below_that_reaches() -> None:
    """Inputs beyond those tried are reached in pairs of dust alone; elsewhere nothing below the bound is accepted."""
    draw, reached = random.Random(SEED + 6), Counter[str]()
    for pair in uneven_pairs(1600):
        wanted = max(1, int(pair.reserve_out * 10 ** draw.uniform(-7, -0.01)))
        bound, found = solidly._least_on_curve(pair, wanted), amount_in(pair, wanted)
        if bound is None or found is None:
            continue
        assert (traded(pair, found) or 0) >= wanted
        assert all((traded(pair, amount) or 0) < wanted for amount in range(max(1, found - 60), found)), (pair, wanted)
        is_dust = tokens_held(pair) < 1
        assert found >= bound
        assert is_dust or found - bound < 64
        reached[f"{pair.root.name}, {'dust' if is_dust else 'tokens'}"] += 1
        reached["the bound" if found == bound else "above"] += 1
        reached["beyond"] += found - bound >= solidly._TRIES_MAX
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached[f"{root.name}, {what}"] for root in Root for what in ("dust", "tokens")) >= 60
    assert reached["the bound"] >= 1000
    assert reached["above"] >= 20
    assert reached["beyond"] <= 10


true_bound = solidly._least_on_curve


def all_but_the_first(_pair: SolidlyPair, among: range, _wanted: int) -> int:
    return among.start + 1


def none_at_all(_pair: SolidlyPair, _among: range, _wanted: int) -> None:
    return None


def a_bound_too_high(pair: SolidlyPair, wanted: int) -> int:
    return (true_bound(pair, wanted) or 0) + 1


@pytest.mark.parametrize(
    ("attribute", "planted"),
    [
        ("_TRIES_MAX", 1),
        ("_first_reaching", all_but_the_first),
        ("_first_reaching", none_at_all),
        ("_least_on_curve", a_bound_too_high),
    ],
)
def test_faults_in_the_search_are_caught(attribute: str, planted: object) -> None:
    with patch.object(solidly, "_LOOK_BELOW", 0), patch.object(solidly, attribute, planted):
        assert misses_in_small_pairs(30) > 0


def test_without_faults_the_search_misses_nothing() -> None:
    assert misses_in_small_pairs(30) == 0


def test_pairs_that_hold_dust_are_asked_for_their_own_trades() -> None:
    draw = random.Random(SEED + 2)
    asked = 0
    for _ in range(300):
        reserve_in, reserve_out = (int(10 ** draw.uniform(5, 18)) for _ in range(2))
        pair = SolidlyPair(
            reserve_in, reserve_out, 10**18, 10**18, 1, 10_000, True, draw.choice(list(Root)), is_zero_for_one=True
        )
        outputs = [traded(pair, amount) or 0 for amount in range(200)]
        if not max(outputs):
            continue
        wanted = draw.randint(1, max(outputs))
        assert amount_in(pair, wanted) == next(at for at, output in enumerate(outputs) if output >= wanted)
        asked += 1
    assert asked >= 12


BALANCED = SolidlyPair(10**12, 10**12, 10**6, 10**6, 5, 10_000, True, Root.VELODROME_V2, True)


@pytest.mark.parametrize("wanted", [0, -1, 10**12, 10**13])
def test_what_no_input_buys_has_no_least_input(wanted: int) -> None:
    for is_stable in (True, False):
        assert amount_in(msgspec.structs.replace(BALANCED, is_stable=is_stable), wanted) is None


def test_an_empty_or_oversized_pair_gives_nothing() -> None:
    empty = msgspec.structs.replace(BALANCED, reserve_in=0, reserve_out=0)
    oversized = msgspec.structs.replace(BALANCED, reserve_in=10**40, reserve_out=10**40)
    for root in Root:
        assert not traded(msgspec.structs.replace(empty, root=root), 10**6)
        assert traded(msgspec.structs.replace(oversized, root=root), 10**6) is None
        assert amount_in(msgspec.structs.replace(oversized, root=root), 10**6) is None
    assert amount_in(empty, 1) is None
    assert not accepts(oversized, 10**6, 1)


def test_a_root_that_does_not_end_reverts_in_the_later_contracts_alone() -> None:
    with patch.object(solidly, "_ITERATIONS_MAX", 1):
        assert amount_out(BALANCED, 10**11) is None
        assert amount_out(msgspec.structs.replace(BALANCED, root=Root.SOLIDLY), 10**11) is not None


def test_the_shape_follows_the_invariant_and_its_slope_the_shape() -> None:
    draw = random.Random(SEED + 3)
    for pair in (one for one in small_pairs(120) if one.is_stable):
        ratio = pair.scale_out / pair.scale_in
        reserves = float(pair.reserve_in), float(pair.reserve_out)
        amount = int(10 ** draw.uniform(0, 6))
        found, slope = solidly_shape.output_and_slope(*reserves, 1.0, ratio, float(amount))
        ideal = float(curve_out(pair, amount))
        assert abs(found - ideal) <= 1e-12 * ideal
        width = 1e-5 * amount
        above, _ = solidly_shape.output_and_slope(*reserves, 1.0, ratio, amount + width)
        below, _ = solidly_shape.output_and_slope(*reserves, 1.0, ratio, amount - width)
        if above - found > 1e-9 * found:  # else the difference has no digits left
            assert abs((above - below) / (2 * width) - slope) <= 1e-4 * slope


def test_the_shape_of_no_reserves_gives_nothing() -> None:
    assert solidly_shape.output_and_slope(0.0, 5.0, 1.0, 1.0, 3.0) == (0.0, 0.0)
    assert solidly_shape.output_and_slope(5.0, 0.0, 1.0, 1.0, 3.0) == (0.0, 0.0)
