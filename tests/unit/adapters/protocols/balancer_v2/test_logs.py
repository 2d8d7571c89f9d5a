"""Whose log it is and what it changes; real logs are folded in the conformance suite."""

import msgspec
import pytest

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2.logs import apply
from headrace.adapters.protocols.balancer_v2.quoting import quote_out, shape
from headrace.adapters.protocols.balancer_v2.state import PROTOCOL, BalancerV2State, WeightedTerms
from headrace.adapters.protocols.balancer_v2_vault.logs import (
    BALANCE_CHANGED,
    BALANCE_MANAGED,
    FEE_CHANGED,
    PAUSE_CHANGED,
    SWAP,
    VAULT_FORM,
)
from headrace.adapters.protocols.vault_registry import VaultRegistry
from headrace.errors import MalformedLogError, MarketStaleError, UnquotableError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.executor_step import BalancerV2Step
from headrace.model.pool import Pool

LOW, HIGH, CONTRACT, VAULT, STRANGER = (Address("0x" + digit * 40) for digit in "12345")
ID = PoolId(CONTRACT + "0" * 24)
POOL = Pool(ID, VAULT, PROTOCOL, "balancer_v2", (LOW, HIGH))
HALF = 5 * 10**17
TERMS = WeightedTerms((HALF, HALF), has_shortcuts=True, pause_ends_at=1000, vault_pause_ends_at=2000)
STATE = BalancerV2State(
    POOL, TERMS, cash=(500, 600), managed=(0, 50), swap_fee=10**15, is_paused=False, is_vault_paused=False
)


def at(timestamp: int) -> BlockContext:
    return BlockContext(1, timestamp, 0, LOW)


def word(value: int | str) -> str:
    return f"{value % (1 << 256):064x}" if isinstance(value, int) else value[2:].rjust(64, "0")


def log(address: Address, topics: tuple[str, ...], *values: int | str) -> Log:
    data = "0x" + "".join(word(value) for value in values)
    named = tuple(Hash32(one if one.startswith("0x") else "0x" + one) for one in topics)
    return Log(address, named, data, Hash32("0x"), 1, Hash32("0x"), 0)


def join(*deltas: int, fees: tuple[int, int] = (0, 0)) -> Log:
    return log(VAULT, (BALANCE_CHANGED, ID, word(LOW)), 96, 192, 288, 2, LOW, HIGH, 2, *deltas, 2, *fees)


def test_a_swap_moves_cash() -> None:
    after = apply(STATE, log(VAULT, (SWAP, ID, word(HIGH), word(LOW)), 7, 9))
    assert (after.cash, after.managed) == ((491, 607), (0, 50))


def test_joins_and_exits_move_cash_less_the_protocols_fees() -> None:
    assert apply(STATE, join(10, 20, fees=(1, 2))).cash == (509, 618)
    assert apply(STATE, join(-10, -20, fees=(1, 2))).cash == (489, 578)


def test_the_asset_manager_moves_between_cash_and_managed() -> None:
    after = apply(STATE, log(VAULT, (BALANCE_MANAGED, ID, word(STRANGER), word(HIGH)), -100, 130))
    assert (after.cash, after.managed) == ((500, 500), (0, 180))


@pytest.mark.parametrize(
    "wrong",
    [
        log(VAULT, (SWAP, ID, word(HIGH), word(LOW)), 7, 501),
        log(VAULT, (SWAP, ID, word(HIGH), word(LOW)), 1 << 112, 5),
        log(VAULT, (BALANCE_MANAGED, ID, word(STRANGER), word(HIGH)), 1, -51),
        join(-501, 0),
        log(CONTRACT, (FEE_CHANGED,), 10**18),
        log(CONTRACT, (SWAP,), 1),
        log(VAULT, (FEE_CHANGED,), 1),
        log(STRANGER, (FEE_CHANGED,), 1),
    ],
)
def test_what_cannot_follow_the_state_is_refused(wrong: Log) -> None:
    with pytest.raises(MalformedLogError) as caught:
        apply(STATE, wrong)
    assert caught.value.pool == ID


def test_the_pools_own_logs_change_fee_and_pause_until_the_pause_runs_out() -> None:
    assert apply(STATE, log(CONTRACT, (FEE_CHANGED,), 5)).swap_fee == 5
    paused = apply(STATE, log(CONTRACT, (PAUSE_CHANGED,), 1))
    with pytest.raises(UnquotableError, match="paused"):
        quote_out(paused, LOW, HIGH, 5, at(1000))
    assert quote_out(paused, LOW, HIGH, 50, at(1001)) == quote_out(STATE, LOW, HIGH, 50, at(0)) > 0
    assert shape(paused, LOW, HIGH).balance_out == 0
    assert apply(paused, log(CONTRACT, (PAUSE_CHANGED,), 0)) == STATE
    in_paused_vault = msgspec.structs.replace(STATE, is_vault_paused=True)
    with pytest.raises(UnquotableError, match="vault"):
        quote_out(in_paused_vault, LOW, HIGH, 5, at(2000))
    assert quote_out(in_paused_vault, LOW, HIGH, 50, at(2001)) > 0


def test_a_log_is_routed_by_who_emits_it() -> None:
    registry = VaultRegistry(VAULT_FORM)
    swap = log(VAULT, (SWAP, ID, word(HIGH), word(LOW)), 7, 9)
    fee = log(CONTRACT, (FEE_CHANGED,), 5)
    assert [registry.pool_of(one) for one in (swap, fee)] == [PoolId(VAULT), PoolId(CONTRACT)]
    registry.enter(POOL)
    assert [registry.pool_of(one) for one in (swap, fee)] == [ID, ID]
    forged = msgspec.structs.replace(swap, address=STRANGER)
    assert registry.pool_of(forged) == PoolId(STRANGER)


@pytest.mark.parametrize("topics", [(), (SWAP, ID), (BALANCE_CHANGED, ID), (FEE_CHANGED,)])
def test_a_vaults_log_without_a_pool_is_malformed(topics: tuple[str, ...]) -> None:
    registry = VaultRegistry(VAULT_FORM)
    registry.enter(POOL)
    with pytest.raises(MalformedLogError):
        registry.pool_of(log(VAULT, topics, 1))


def test_a_pause_of_the_vault_concerns_the_whole_market() -> None:
    registry = VaultRegistry(VAULT_FORM)
    registry.enter(POOL)
    with pytest.raises(MarketStaleError):
        registry.pool_of(log(VAULT, (PAUSE_CHANGED,), 1))


def test_the_step_names_vault_and_pool() -> None:
    dex = BalancerV2()
    assert not dex.supports_flash_swap
    assert dex.step(STATE, LOW, HIGH) == BalancerV2Step(LOW, HIGH, VAULT, ID)
