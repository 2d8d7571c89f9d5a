"""How much may be at stake, in integers: dollars are millionths, shares are exact fractions.

An open intent is a position, from its reservation to its end. What counts against a limit is rounded up and a limit is
rounded down, so no rounding lets anything through.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType

import msgspec

from headrace.model.account import Reservation, Scope
from headrace.model.address import Address, PoolId
from headrace.model.refusal import Reason, Refusal

USD_MICRO = 10**6


class Limits(msgspec.Struct, frozen=True):
    """The limits of one account; the comments name the configuration's keys.

    Attributes:
        trade_usd_micro_max: exposure of one intent.
        position_usd_micro_max: exposure of all open intents together.
        position_count_max: open intents.
        executions_max: open intents that will be or have been executed; while every intent is one, the lower holds.
        execution_seconds_max: age at which an execution that is not in a block is cancelled.
        allocation_max: share of a token's own capital that may be reserved at once, 0 to 1.
        daily_loss_usd_micro_max: losses in one UTC day; the account halts where they leave no room (`is_day_spent`).
        exposure_usd_micro_max_by: exposure of all open intents together to one token, venue, strategy or chain.
    """

    trade_usd_micro_max: int  # max_trade_size_usd
    position_usd_micro_max: int  # max_position_usd
    position_count_max: int  # max_position_count
    executions_max: int  # max_concurrent_executions
    execution_seconds_max: int  # max_execution_time_seconds
    allocation_max: Fraction  # max_allocation_pct
    daily_loss_usd_micro_max: int  # max_daily_loss_usd
    exposure_usd_micro_max_by: Mapping[Scope, int] = MappingProxyType({})  # max_exposure_usd


class Usage(msgspec.Struct, frozen=True):
    """What the open intents take, and what the day has cost."""

    count: int
    exposure_usd_micro: int
    capital_units: Mapping[Address, int]
    loss_usd_micro_reserved: int
    loss_usd_micro_today: int
    pools: frozenset[PoolId]
    exposure_usd_micro_by: Mapping[Scope, int] = MappingProxyType({})


def usage_of(reservations: Iterable[Reservation], loss_usd_micro_today: int) -> Usage:
    """Sum open reservations."""
    capital: Counter[Address] = Counter()
    pools: set[PoolId] = set()
    exposures: Counter[Scope] = Counter()
    count = exposure = loss = 0
    for reservation in reservations:
        count += 1
        loss += reservation.loss_usd_micro
        exposure += reservation.exposure_usd_micro
        capital[reservation.token] += reservation.capital_units
        pools.update(reservation.pools)
        for scope in reservation.scopes:
            exposures[scope] += reservation.exposure_usd_micro
    return Usage(count, exposure, capital, loss, loss_usd_micro_today, frozenset(pools), exposures)


def first_breach(limits: Limits, usage: Usage, wanted: Reservation, held_units: int) -> Refusal | None:
    """The first limit that `wanted` would break on top of `usage`, or None.

    Args:
        limits: the account's limits.
        usage: what is taken already.
        wanted: what is asked for.
        held_units: what the account holds of `wanted.token`, reserved or not.
    """
    return (
        _breach_of_pools(usage, wanted)
        or _breach_of_counts(limits, usage)
        or _breach_of_size(limits, usage, wanted)
        or _breach_of_scopes(limits, usage, wanted)
        or _breach_of_loss(limits, usage, wanted)
        or _breach_of_capital(limits, usage, wanted, held_units)
    )


def is_day_spent(limits: Limits, usage: Usage, wanted: Reservation) -> bool:
    """Whether the day's losses leave no room for `wanted`, and nothing open can still give some back.

    Reserving the worst case keeps losses below the limit, so that waiting for them to reach it would wait for ever, and
    trading would go on by itself on the next day. The day counts as spent when losses alone reached the limit, or when
    all of these hold:

    - something was lost today, and together with what `wanted` might lose it exceeds the limit;
    - nothing is reserved: an open intent mostly costs less than its worst case, and its end may make room;
    - `wanted` would fit on a day without losses: one that never fits says nothing of the day, and is only refused.
    """
    lost, most = usage.loss_usd_micro_today, limits.daily_loss_usd_micro_max
    if lost == 0:
        return False
    fits_a_fresh_day = wanted.loss_usd_micro <= most
    return lost >= most or (usage.count == 0 and fits_a_fresh_day and lost + wanted.loss_usd_micro > most)


def _breach_of_pools(usage: Usage, wanted: Reservation) -> Refusal | None:
    shared = usage.pools.intersection(wanted.pools)
    if not shared:
        return None
    return Refusal(Reason.POOL_IN_FLIGHT, f"pool {min(shared)} is on the route of a plan in flight")


def _breach_of_counts(limits: Limits, usage: Usage) -> Refusal | None:
    if usage.count >= limits.executions_max:
        return Refusal(Reason.CONCURRENCY_LIMIT, f"{usage.count} of at most {limits.executions_max} are in flight")
    if usage.count >= limits.position_count_max:
        return Refusal(Reason.POSITION_COUNT_LIMIT, f"{usage.count} of at most {limits.position_count_max} are open")
    return None


def _breach_of_size(limits: Limits, usage: Usage, wanted: Reservation) -> Refusal | None:
    trade, trade_max = wanted.exposure_usd_micro, limits.trade_usd_micro_max
    if trade > trade_max:
        return Refusal(Reason.TRADE_SIZE_LIMIT, f"{_usd(trade)} in one trade, {_usd(trade_max)} allowed")
    position = usage.exposure_usd_micro + trade
    if position > limits.position_usd_micro_max:
        detail = f"{_usd(position)} at once, {_usd(limits.position_usd_micro_max)} allowed"
        return Refusal(Reason.POSITION_LIMIT, detail)
    return None


def _breach_of_scopes(limits: Limits, usage: Usage, wanted: Reservation) -> Refusal | None:
    for scope in wanted.scopes:
        most = limits.exposure_usd_micro_max_by.get(scope)
        exposure = usage.exposure_usd_micro_by.get(scope, 0) + wanted.exposure_usd_micro
        if most is not None and exposure > most:
            detail = f"{_usd(exposure)} exposed to {scope}, {_usd(most)} allowed"
            return Refusal(Reason.EXPOSURE_LIMIT, detail)
    return None


def _breach_of_loss(limits: Limits, usage: Usage, wanted: Reservation) -> Refusal | None:
    worst = usage.loss_usd_micro_today + usage.loss_usd_micro_reserved + wanted.loss_usd_micro
    if worst <= limits.daily_loss_usd_micro_max:
        return None
    detail = f"{_usd(worst)} might be lost today, {_usd(limits.daily_loss_usd_micro_max)} allowed"
    return Refusal(Reason.DAILY_LOSS_LIMIT, detail)


def _breach_of_capital(limits: Limits, usage: Usage, wanted: Reservation, held_units: int) -> Refusal | None:
    if wanted.capital_units == 0:
        return None
    taken = usage.capital_units.get(wanted.token, 0) + wanted.capital_units
    allowed = allocated_down(held_units, limits.allocation_max)
    if taken <= allowed:
        return None
    return Refusal(Reason.CAPITAL_RESERVED, f"{taken} units of {wanted.token} wanted at once, {allowed} may be")


def allocated_down(held_units: int, share: Fraction) -> int:
    """The part of a holding that may be reserved, rounded down."""
    return held_units * share.numerator // share.denominator


def _usd(micro: int) -> str:
    return f"${micro // USD_MICRO}.{micro % USD_MICRO:06d}"
