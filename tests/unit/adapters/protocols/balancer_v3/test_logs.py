"""What each log changes, and what cannot follow a state; real logs are folded in the conformance suite."""

import msgspec
import pytest

from headrace.adapters.protocols.balancer_v3 import BalancerV3
from headrace.adapters.protocols.balancer_v3.logs import (
    ADDED,
    AGGREGATE_FEE_CHANGED,
    AMP_STARTED,
    AMP_STOPPED,
    FEE_CHANGED,
    INITIALIZED,
    PAUSE_CHANGED,
    RECOVERY_CHANGED,
    REMOVED,
    SWAP,
    VAULT_FORM,
    VAULT_PAUSE_CHANGED,
    YIELD_FEE_CHANGED,
    apply,
)
from headrace.adapters.protocols.balancer_v3.quoting import quote_in, quote_out, shape
from headrace.adapters.protocols.balancer_v3.state import (
    PROTOCOL,
    BalancerV3State,
    StableTerms,
    VaultTerms,
    WeightedTerms,
    checked_state,
)
from headrace.adapters.protocols.vault_registry import VaultRegistry
from headrace.errors import MalformedLogError, MalformedPoolError, MarketStaleError, UnquotableError
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.ramp import Ramp
from headrace.kernels.shape import Weighted
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.executor_step import BalancerV3Step
from headrace.model.pool import Pool

LOW, HIGH, CONTRACT, VAULT, STRANGER = (Address("0x" + digit * 40) for digit in "12345")
ID = PoolId(CONTRACT)
HALF = ONE // 2
TERMS = VaultTerms((1, 1), has_rates=False, trade_min=10**6, pause_ends_at=1000, vault_pause_ends_at=2000)
STATE = BalancerV3State(
    pool=Pool(ID, VAULT, PROTOCOL, "balancer", (LOW, HIGH)),
    terms=TERMS,
    curve=WeightedTerms((HALF, HALF), None),
    balances=(10**18, 2 * 10**18),
    rates=(ONE, ONE),
    swap_fee=10**16,
    aggregate_fee=HALF,
    is_initialized=True,
    is_paused=False,
    is_vault_paused=False,
    is_recovering=False,
)
STABLE = msgspec.structs.replace(STATE, curve=StableTerms(Ramp(200_000, 200_000)))
RATED = msgspec.structs.replace(
    STABLE, terms=msgspec.structs.replace(TERMS, has_rates=True), rates=(2 * ONE, ONE), read_number=100
)


def at(number: int, timestamp: int = 0) -> BlockContext:
    return BlockContext(number, timestamp, 1, LOW)


def word(value: int | str) -> str:
    return f"{value % (1 << 256):064x}" if isinstance(value, int) else value[2:].rjust(64, "0")


def log(address: Address, topics: tuple[str, ...], *values: int | str) -> Log:
    data = "0x" + "".join(word(value) for value in values)
    named = tuple(Hash32(one if len(one) == 66 else "0x" + word(one)) for one in topics)
    return Log(address, named, data, Hash32("0x"), 1, Hash32("0x"), 0)


def liquidity(name: str, amounts: tuple[int, int], fees: tuple[int, int]) -> Log:
    return log(VAULT, (name, CONTRACT, STRANGER, "0x01"), 5, 96, 192, 2, *amounts, 2, *fees)


def test_a_swap_moves_balances_less_what_leaves_of_the_fee() -> None:
    swap = log(VAULT, (SWAP, CONTRACT, HIGH, LOW), 1000, 400, 10**16, 11)
    assert apply(STATE, swap).balances == (10**18 - 400, 2 * 10**18 + 1000 - 5)
    recovering = msgspec.structs.replace(STATE, is_recovering=True)
    assert apply(recovering, swap).balances == (10**18 - 400, 2 * 10**18 + 1000)


def test_liquidity_comes_and_goes_less_what_leaves_of_the_fees() -> None:
    assert apply(STATE, liquidity(ADDED, (50, 70), (3, 0))).balances == (10**18 + 49, 2 * 10**18 + 70)
    assert apply(STATE, liquidity(REMOVED, (50, 70), (3, 9))).balances == (10**18 - 51, 2 * 10**18 - 74)


def test_settings_are_kept_as_the_vault_keeps_them() -> None:
    assert apply(STATE, log(VAULT, (FEE_CHANGED, CONTRACT), 10**15 + 7)).swap_fee == 10**15
    assert apply(STATE, log(VAULT, (AGGREGATE_FEE_CHANGED, CONTRACT), ONE // 3)).aggregate_fee == 333333300000000000
    assert apply(STATE, log(VAULT, (PAUSE_CHANGED, CONTRACT), 1)).is_paused
    assert apply(STATE, log(VAULT, (RECOVERY_CHANGED, CONTRACT), 1)).is_recovering
    assert apply(STATE, log(VAULT, (YIELD_FEE_CHANGED, CONTRACT), 1)) == STATE
    empty = msgspec.structs.replace(STATE, is_initialized=False)
    assert apply(empty, log(VAULT, (INITIALIZED, CONTRACT))) == STATE


def test_pools_with_rates_are_read_again_after_whatever_takes_yield_fees() -> None:
    assert RATED.is_outdated(101)
    assert not RATED.is_outdated(100)
    assert not STABLE.is_outdated(1 << 60)
    for shifting in (liquidity(ADDED, (1, 1), (0, 0)), log(VAULT, (YIELD_FEE_CHANGED, CONTRACT), 1)):
        after = apply(RATED, shifting)
        assert after.is_outdated(0)
        with pytest.raises(UnquotableError, match="rates"):
            quote_out(after, LOW, HIGH, 10**9, at(101))
    assert quote_out(RATED, LOW, HIGH, 10**9, at(101)) > 15 * 10**8
    assert not apply(RATED, log(VAULT, (PAUSE_CHANGED, CONTRACT), 0)).must_be_read


def test_the_way_of_the_amplification_is_told() -> None:
    moving = apply(STABLE, log(CONTRACT, (AMP_STARTED,), 200_000, 300_000, 5, 9))
    assert moving.curve == StableTerms(Ramp(200_000, 300_000, 5, 9))
    assert apply(moving, log(CONTRACT, (AMP_STOPPED,), 250_000)).curve == StableTerms(Ramp(250_000, 250_000))


@pytest.mark.parametrize(
    "wrong",
    [
        log(VAULT, (SWAP, CONTRACT, HIGH, LOW), 7, 2 * 10**18, 0, 0),
        log(VAULT, (SWAP, CONTRACT, HIGH, LOW), 1 << 128, 5, 0, 0),
        log(VAULT, (SWAP, CONTRACT, HIGH, STRANGER), 7, 5, 0, 0),
        log(VAULT, (SWAP, STRANGER, HIGH, LOW), 7, 5, 0, 0),
        log(VAULT, (FEE_CHANGED, CONTRACT), ONE + 1),
        log(VAULT, (INITIALIZED, CONTRACT), 1),
        log(VAULT, (ADDED, CONTRACT, STRANGER, "0x01"), 5, 96, 160, 1, 1, 1, 1),
        log(CONTRACT, (AMP_STARTED,), 200_000, 0, 5, 9),
        log(CONTRACT, (AMP_STARTED,), 200_000, 200_000, 9, 5),
        log(CONTRACT, (SWAP,), 1),
        log(STRANGER, (FEE_CHANGED, CONTRACT), 1),
    ],
)
def test_what_cannot_follow_the_state_is_refused(wrong: Log) -> None:
    with pytest.raises(MalformedLogError) as caught:
        apply(STABLE, wrong)
    assert caught.value.pool == ID


def test_a_weighted_pool_tells_nothing_itself() -> None:
    with pytest.raises(MalformedLogError):
        apply(STATE, log(CONTRACT, (AMP_STOPPED,), 1000))


def test_a_log_is_routed_by_who_emits_it() -> None:
    registry = VaultRegistry(VAULT_FORM)
    swap = log(VAULT, (SWAP, CONTRACT, HIGH, LOW), 7, 9, 0, 0)
    assert registry.pool_of(swap) == PoolId(VAULT)
    registry.enter(STATE.pool)
    assert registry.pool_of(swap) == ID
    assert registry.pool_of(log(CONTRACT, (AMP_STOPPED,), 1)) == ID
    assert registry.pool_of(msgspec.structs.replace(swap, address=STRANGER)) == PoolId(STRANGER)
    for topics in ((), (SWAP, CONTRACT), (AMP_STOPPED,), (FEE_CHANGED, "0x" + "77" * 32)):
        with pytest.raises(MalformedLogError):
            registry.pool_of(log(VAULT, topics, 1))
    with pytest.raises(MarketStaleError):
        registry.pool_of(log(VAULT, (VAULT_PAUSE_CHANGED,), 1))


def test_pauses_hold_until_they_run_out_and_empty_pools_give_nothing() -> None:
    for changes, until in (({"is_paused": True}, 1000), ({"is_vault_paused": True}, 2000)):
        closed = msgspec.structs.replace(STATE, **changes)
        for find in (quote_out, quote_in):
            with pytest.raises(UnquotableError, match="paused"):
                find(closed, LOW, HIGH, 10**9, at(5, until))
            assert find(closed, LOW, HIGH, 10**9, at(5, until + 1)) > 0
    empty = msgspec.structs.replace(STATE, is_initialized=False)
    with pytest.raises(UnquotableError, match="liquidity"):
        quote_out(empty, LOW, HIGH, 10**9, at(5))
    assert shape(empty, LOW, HIGH) == Weighted(1.0, 0.0, 0.99, 1.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"curve": WeightedTerms((HALF, HALF - 1), None)}, "curve.weights"),
        ({"curve": WeightedTerms((ONE, 0), None)}, "curve.weights"),
        ({"curve": WeightedTerms((HALF, HALF), (1,))}, "curve.minima"),
        ({"curve": StableTerms(Ramp(0, 5))}, "curve.start"),
        ({"curve": StableTerms(Ramp(5, 50_000_001))}, "curve.end"),
        ({"rates": (ONE,)}, "rates"),
        ({"rates": (ONE, 0)}, "rates[1]"),
        ({"balances": (1 << 128, 0)}, "balances[0]"),
        ({"balances": (5, -1)}, "balances[1]"),
        ({"swap_fee": -1}, "swap_fee"),
        ({"terms": RATED.terms}, "read_number"),
        ({"curve": StableTerms(Ramp(5000, 9000, 7, 7))}, "curve.ends_at"),
        ({"swap_fee": ONE}, "swap_fee"),
        ({"aggregate_fee": ONE + 1}, "aggregate_fee"),
        ({"terms": msgspec.structs.replace(TERMS, scalings=(1, 0))}, "scalings[1]"),
        ({"terms": msgspec.structs.replace(TERMS, scalings=(5, 1))}, "scalings[0]"),
        ({"pool": msgspec.structs.replace(STATE.pool, tokens=(LOW, LOW))}, "tokens"),
        ({"pool": msgspec.structs.replace(STATE.pool, tokens=(LOW,))}, "tokens"),
    ],
)
def test_a_state_that_cannot_be_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    assert checked_state(STATE) == STATE
    with pytest.raises(MalformedPoolError) as caught:
        checked_state(msgspec.structs.replace(STATE, **changes))
    assert caught.value.field == field


def test_an_exact_output_is_asked_for_or_refused() -> None:
    dex = BalancerV3()
    assert dex.asked_in(STATE, LOW, HIGH, 10**9, at(5)) >= dex.quote_in(STATE, LOW, HIGH, 10**9, at(5))
    for amount in (0, 10**18):
        with pytest.raises(UnquotableError):
            dex.asked_in(STATE, LOW, HIGH, amount, at(5))


def test_the_step_names_vault_and_pool() -> None:
    dex = BalancerV3()
    assert not dex.supports_flash_swap
    assert dex.step(STATE, LOW, HIGH) == BalancerV3Step(LOW, HIGH, VAULT, CONTRACT)
    assert dex.gas(STATE, LOW, HIGH, 1) < dex.gas(RATED, LOW, HIGH, 1)
