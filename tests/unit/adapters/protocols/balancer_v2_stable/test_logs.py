"""What the pool's own logs change and when a state has to be read again; real logs are folded in the suite."""

import msgspec
import pytest

from headrace.adapters.protocols.balancer_v2_stable import BalancerV2Stable
from headrace.adapters.protocols.balancer_v2_stable.logs import AMP_STARTED, AMP_STOPPED, RATE_CACHED, apply
from headrace.adapters.protocols.balancer_v2_stable.quoting import quote_in, quote_out, shape
from headrace.adapters.protocols.balancer_v2_stable.state import (
    PROTOCOL,
    BalancerV2StableState,
    CachedRate,
    ReadAt,
    StableTerms,
    checked_state,
)
from headrace.adapters.protocols.balancer_v2_vault.logs import BALANCE_CHANGED, SWAP
from headrace.errors import MalformedLogError, MalformedPoolError, UnquotableError
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.ramp import Ramp
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.executor_step import BalancerV2Step
from headrace.model.pool import Pool

LOW, HIGH, CONTRACT, VAULT = (Address("0x" + digit * 40) for digit in "1345")
ID = PoolId(CONTRACT + "0" * 24)
TERMS = StableTerms(
    scalings=(ONE, ONE), rounds_up=False, renews_late=False, pause_ends_at=1000, vault_pause_ends_at=2000
)
STATE = BalancerV2StableState(
    pool=Pool(ID, VAULT, PROTOCOL, "balancer", (LOW, HIGH)),
    terms=TERMS,
    amplification=Ramp(200_000, 200_000),
    rates=(CachedRate(2 * ONE, 5000, 3 * ONE), None),
    read_at=ReadAt(100, 4400),
    cash=(10**18, 10**18),
    managed=(0, 0),
    swap_fee=10**15,
    is_paused=False,
    is_vault_paused=False,
)


def at(number: int, timestamp: int) -> BlockContext:
    return BlockContext(number, timestamp, 1, LOW)


def word(value: int | str) -> str:
    return f"{value % (1 << 256):064x}" if isinstance(value, int) else value[2:].rjust(64, "0")


def log(address: Address, topics: tuple[str, ...], *values: int | str) -> Log:
    data = "0x" + "".join(word(value) for value in values)
    named = tuple(Hash32(one if one.startswith("0x") else "0x" + one) for one in topics)
    return Log(address, named, data, Hash32("0x"), 1, Hash32("0x"), 0)


def test_amplification_goes_along_a_line_and_stays_at_its_end() -> None:
    up, down = (Ramp(100, 200, 1000, 2000), Ramp(200, 99, 1000, 2000))
    assert [up.value(t) for t in (1000, 1005, 1999, 2000, 9999)] == [100, 100, 199, 200, 200]
    assert [down.value(t) for t in (1000, 1005, 1999, 2000)] == [200, 200, 100, 99]


def test_logs_start_and_stop_the_way() -> None:
    moving = apply(STATE, log(CONTRACT, (AMP_STARTED,), 200_000, 400_000, 10, 20))
    assert moving.amplification == Ramp(200_000, 400_000, 10, 20)
    assert apply(moving, log(CONTRACT, (AMP_STOPPED,), 250_000)).amplification == Ramp(250_000, 250_000)


@pytest.mark.parametrize("topic", sorted(RATE_CACHED))
def test_a_rate_that_was_cached_has_the_state_read_again(topic: str) -> None:
    after = apply(STATE, log(CONTRACT, (topic, word(1)), 5))
    assert after.must_be_read
    assert after.is_outdated(0)
    assert shape(after, LOW, HIGH).ann == 0
    with pytest.raises(UnquotableError):
        quote_out(after, LOW, HIGH, 10**9, at(101, 4401))


def test_a_rate_is_the_caches_then_the_providers_of_the_block_before() -> None:
    assert quote_out(STATE, LOW, HIGH, 10**9, at(101, 5000)) < quote_out(STATE, LOW, HIGH, 10**9, at(101, 5001))
    assert quote_out(STATE, LOW, HIGH, 10**9, at(109, 5000)) > 0
    for find in (quote_out, quote_in):
        with pytest.raises(UnquotableError, match="run out since"):
            find(STATE, LOW, HIGH, 10**9, at(109, 5001))
    for provided in (None, 0, 1 << 96):
        silent = msgspec.structs.replace(STATE, rates=(CachedRate(2 * ONE, 5000, provided), None))
        with pytest.raises(UnquotableError, match="gives none"):
            quote_out(silent, LOW, HIGH, 10**9, at(101, 5001))


def test_an_exact_output_is_asked_for_or_refused() -> None:
    dex = BalancerV2Stable()
    asked = dex.asked_in(STATE, LOW, HIGH, 10**9, at(101, 1))
    assert abs(asked - dex.quote_in(STATE, LOW, HIGH, 10**9, at(101, 1))) <= 2000
    for amount in (0, 10**18):
        with pytest.raises(UnquotableError):
            dex.asked_in(STATE, LOW, HIGH, amount, at(101, 1))
    assert not dex.supports_flash_swap
    assert dex.step(STATE, LOW, HIGH) == BalancerV2Step(LOW, HIGH, VAULT, ID)


def test_a_state_is_outdated_before_its_cache_can_run_out() -> None:
    assert not STATE.is_outdated(110)  # ten blocks of at most a minute
    assert STATE.is_outdated(111)
    assert not STATE.is_outdated(99)
    assert not msgspec.structs.replace(STATE, read_at=None, rates=(None, None)).is_outdated(1 << 60)


def test_a_shape_takes_the_rate_that_the_next_swap_takes() -> None:
    late = msgspec.structs.replace(STATE, read_at=ReadAt(100, 5000))
    assert shape(late, LOW, HIGH).scale_in == 1.5 * shape(STATE, LOW, HIGH).scale_in


def test_the_pools_own_token_is_passed_over() -> None:
    joined = log(
        VAULT, (BALANCE_CHANGED, ID, word(LOW)), 96, 224, 352, 3, LOW, HIGH, CONTRACT, 3, 5, 6, 9**9, 3, 1, 0, 0
    )
    assert apply(STATE, joined).cash == (10**18 + 4, 10**18 + 6)
    assert apply(STATE, log(VAULT, (SWAP, ID, word(LOW), word(CONTRACT)), 7, 10**20)).cash == (10**18 + 7, 10**18)
    assert apply(STATE, log(VAULT, (SWAP, ID, word(CONTRACT), word(HIGH)), 10**20, 7)).cash == (10**18, 10**18 - 7)


@pytest.mark.parametrize(
    "wrong",
    [
        log(CONTRACT, (AMP_STARTED,), 200_000, 999, 10, 20),
        log(CONTRACT, (AMP_STARTED,), 200_000, 400_000, 30, 20),
        log(CONTRACT, (AMP_STARTED,), 200_000, 400_000, 30),
        log(CONTRACT, (AMP_STOPPED,), 5_000_001),
        log(CONTRACT, (min(RATE_CACHED),), 5),
        log(CONTRACT, (min(RATE_CACHED), word(1)), 5, 6),
        log(VAULT, (AMP_STOPPED,), 1000),
        log(VAULT, (BALANCE_CHANGED, ID, word(LOW)), 96, 192, 288, 2, LOW, CONTRACT, 2, 5, 6, 2, 1, 0),
        log(VAULT, (BALANCE_CHANGED, ID, word(LOW)), 96, 192, 256, 2, LOW, HIGH, 1, 5, 2, 1, 0),
    ],
)
def test_what_cannot_follow_the_state_is_refused(wrong: Log) -> None:
    with pytest.raises(MalformedLogError) as caught:
        apply(STATE, wrong)
    assert caught.value.pool == ID


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amplification": Ramp(999, 999)}, "amplification.start"),
        ({"amplification": Ramp(5_000_000, 5_000_001)}, "amplification.end"),
        ({"rates": (None,)}, "rates"),
        ({"rates": (CachedRate(0, 5, None), None)}, "rates[0].cached"),
        ({"rates": (None, CachedRate(1 << 96, 5, None))}, "rates[1].cached"),
        ({"terms": msgspec.structs.replace(TERMS, scalings=(ONE, ONE // 10))}, "scalings[1]"),
        ({"terms": msgspec.structs.replace(TERMS, scalings=(2 * ONE, ONE))}, "scalings[0]"),
        ({"swap_fee": ONE}, "swap_fee"),
        ({"cash": (1 << 112, 0)}, "cash[0]"),
        ({"managed": (0, -1)}, "managed[1]"),
        ({"swap_fee": -1}, "swap_fee"),
        ({"read_at": None}, "read_at"),
        ({"amplification": Ramp(1000, 2000, 7, 7)}, "amplification.ends_at"),
    ],
)
def test_a_state_that_cannot_be_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    assert checked_state(STATE) == STATE
    with pytest.raises(MalformedPoolError) as caught:
        checked_state(msgspec.structs.replace(STATE, **changes))
    assert caught.value.field == field


def test_six_tokens_are_too_many() -> None:
    tokens = tuple(Address(f"0x{n:040x}") for n in range(1, 7))
    pool, six = msgspec.structs.replace(STATE.pool, tokens=tokens), (1,) * 6
    terms = msgspec.structs.replace(TERMS, scalings=(ONE,) * 6)
    wide = msgspec.structs.replace(STATE, pool=pool, terms=terms, cash=six, managed=six, rates=(None,) * 6)
    with pytest.raises(MalformedPoolError, match="at most 5"):
        checked_state(wide)
