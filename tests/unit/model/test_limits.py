"""Each limit at its edge: what just fits passes, one unit more is refused with its own reason."""

from fractions import Fraction

import msgspec
import pytest
from tests.support.intents import LIMITS, OTHER, reservation

from headrace.model.account import Scope
from headrace.model.address import PoolId
from headrace.model.limits import USD_MICRO, allocated_down, first_breach, is_day_spent, usage_of
from headrace.model.refusal import Reason, Refusal

P, Q, R = (PoolId(name) for name in "pqr")


def _breach(
    *,
    wanted_usd: int = 100,
    wanted_units: int = 0,
    loss_usd: int = 1,
    open_usd: tuple[int, ...] = (),
    held: int = 1_000,
    lost_usd: int = 0,
) -> Reason | None:
    taken = [reservation((PoolId(f"open {i}"),), capital_units=100, usd=usd) for i, usd in enumerate(open_usd)]
    wanted = reservation((P, Q), capital_units=wanted_units, usd=wanted_usd, loss_usd=loss_usd)
    refusal = first_breach(LIMITS, usage_of(taken, lost_usd * USD_MICRO), wanted, held)
    return refusal.reason if refusal else None


def test_what_fits_passes_and_one_more_is_refused() -> None:
    assert _breach(wanted_usd=1_000) is None
    assert _breach(wanted_usd=1_001) is Reason.TRADE_SIZE_LIMIT
    assert _breach(wanted_usd=500, open_usd=(1_000, 1_000)) is None
    assert _breach(wanted_usd=501, open_usd=(1_000, 1_000)) is Reason.POSITION_LIMIT
    assert _breach(open_usd=(1, 1, 1)) is None
    assert _breach(open_usd=(1, 1, 1, 1)) is Reason.CONCURRENCY_LIMIT
    assert _breach(wanted_units=500) is None
    assert _breach(wanted_units=501) is Reason.CAPITAL_RESERVED
    assert _breach(wanted_units=400, open_usd=(1,)) is None
    assert _breach(wanted_units=401, open_usd=(1,)) is Reason.CAPITAL_RESERVED
    assert _breach(wanted_units=1, held=1) is Reason.CAPITAL_RESERVED
    assert _breach(wanted_units=0, held=0) is None
    assert _breach(loss_usd=50) is None
    assert _breach(loss_usd=51) is Reason.DAILY_LOSS_LIMIT
    assert _breach(loss_usd=20, open_usd=(1, 1), lost_usd=28) is None
    assert _breach(loss_usd=21, open_usd=(1, 1), lost_usd=28) is Reason.DAILY_LOSS_LIMIT


def test_what_is_exposed_to_one_scope_is_capped_over_all_that_is_open() -> None:
    a, b = Scope("token:a"), Scope("venue:b")
    limits = msgspec.structs.replace(LIMITS, exposure_usd_micro_max_by={a: 500 * USD_MICRO, b: 150 * USD_MICRO})

    def breach(usd: int, *scopes: Scope) -> Refusal | None:
        taken = [
            msgspec.structs.replace(reservation((R,), usd=200), scopes=(a,)),
            msgspec.structs.replace(reservation((Q,), usd=100), scopes=(a, b, Scope("token:c"))),
        ]
        wanted = msgspec.structs.replace(reservation((P,), usd=usd), scopes=scopes)
        return first_breach(limits, usage_of(taken, 0), wanted, 0)

    assert breach(200, a) is None
    refusal = breach(201, a)
    assert refusal == Refusal(Reason.EXPOSURE_LIMIT, "$501.000000 exposed to token:a, $500.000000 allowed")
    assert breach(50, b, a) is None
    assert breach(51, b, a) is not None
    assert breach(900, Scope("token:c")) is None


def test_a_micro_dollar_over_is_over() -> None:
    wanted = msgspec.structs.replace(reservation((P,)), exposure_usd_micro=LIMITS.trade_usd_micro_max + 1)
    refusal = first_breach(LIMITS, usage_of((), 0), wanted, 0)
    assert refusal is not None
    assert "$1000.000001" in refusal.detail


def test_the_count_of_positions_is_a_limit_of_its_own() -> None:
    limits = msgspec.structs.replace(LIMITS, position_count_max=1)
    refusal = first_breach(limits, usage_of([reservation((P,))], 0), reservation((Q,)), 0)
    assert refusal is not None
    assert refusal.reason is Reason.POSITION_COUNT_LIMIT


def test_plans_in_flight_share_no_pool() -> None:
    usage = usage_of([reservation((P, Q))], 0)
    for pools, is_shared in (((Q, R), True), ((R,), False)):
        refusal = first_breach(LIMITS, usage, reservation(pools), 0)
        assert (refusal is not None and refusal.reason is Reason.POOL_IN_FLIGHT) is is_shared


def test_capital_is_counted_by_token() -> None:
    in_other = msgspec.structs.replace(reservation((P,), capital_units=500), token=OTHER)
    assert first_breach(LIMITS, usage_of([in_other], 0), reservation((Q,), capital_units=500), 1_000) is None


@pytest.mark.parametrize(("held", "share", "allowed"), [(10, "1/3", 3), (2**255, "1", 2**255), (5, "0", 0)])
def test_shares_are_exact_and_rounded_down(held: int, share: str, allowed: int) -> None:
    assert allocated_down(held, Fraction(share)) == allowed


@pytest.mark.parametrize(
    ("lost_micro", "wanted_usd", "open_count", "is_spent"),
    [
        (0, 50, 0, False),
        (0, 51, 0, False),  # it fits on no day: only refused
        (1, 50, 0, True),
        (1, 49, 0, False),  # it fits
        (1, 51, 0, False),  # it would not fit on a fresh day either
        (1, 50, 1, False),  # the open one may give room back
        (49 * USD_MICRO, 1, 0, False),
        (49 * USD_MICRO + 1, 1, 0, True),
        (49 * USD_MICRO + 1, 1, 1, False),
        (50 * USD_MICRO, 1, 3, True),  # nothing can give that back
        (50 * USD_MICRO, 51, 3, True),
        (50 * USD_MICRO - 1, 0, 0, False),
    ],
)
def test_a_day_is_spent_when_losses_and_nothing_else_take_the_room(
    lost_micro: int, wanted_usd: int, open_count: int, *, is_spent: bool
) -> None:
    usage = usage_of([reservation((PoolId(f"open {i}"),)) for i in range(open_count)], lost_micro)
    assert is_day_spent(LIMITS, usage, reservation((P,), loss_usd=wanted_usd)) is is_spent


def test_where_nothing_may_be_lost_plans_are_refused_and_the_day_is_not_spent() -> None:
    limits = msgspec.structs.replace(LIMITS, daily_loss_usd_micro_max=0)
    refusal = first_breach(limits, usage_of((), 0), reservation((P,)), 0)
    assert refusal is not None
    assert refusal.reason is Reason.DAILY_LOSS_LIMIT
    assert not is_day_spent(limits, usage_of((), 0), reservation((P,)))
    assert is_day_spent(limits, usage_of((), 1), reservation((P,)))
