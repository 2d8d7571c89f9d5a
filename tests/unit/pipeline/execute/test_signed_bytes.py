"""A signer that signs something else is caught, whatever it changes, for executions and for cancellations."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import cast

import msgspec
import pytest
from eth_account import Account as EthAccount
from tests.support.intents import ACCOUNT, RULES, SIGNER, intent, rehearsed, transaction
from tests.support.transaction_world import (
    Faults,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)

from headrace.model.address import Address, Hash32, keccak_hex
from headrace.model.intent import IntentStatus, Purpose
from headrace.model.record import AccountHalted, IntentEnded, PayloadSigned
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import SignedTransaction, UnsignedTransaction
from headrace.pipeline.execute import transactions
from headrace.pipeline.execute.signed_bytes import difference
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared, Submitted
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.ports.chain import Chain

Lie = Callable[[UnsignedTransaction, int], SignedTransaction]
SECONDS_MAX = 60e-6


def _changed(**change: object) -> Lie:
    return lambda asked, nonce: SIGNER.sign(msgspec.structs.replace(asked, **change), nonce)


def _more(field: str) -> Lie:
    return lambda asked, nonce: _changed(**{field: getattr(asked, field) + 1})(asked, nonce)


def _bytes(raw: bytes) -> SignedTransaction:
    return SignedTransaction(raw, keccak_hex(raw))


def _with_access_list(asked: UnsignedTransaction, nonce: int) -> SignedTransaction:
    fields = {
        "type": 2,
        "chainId": asked.chain_id,
        "nonce": nonce,
        "maxPriorityFeePerGas": asked.priority_fee_wei,
        "maxFeePerGas": asked.max_fee_wei,
        "gas": asked.gas_limit,
        "to": bytes.fromhex(asked.to[2:]),
        "value": asked.value_wei,
        "data": asked.data,
        "accessList": ({"address": "0x" + "11" * 20, "storageKeys": []},),
    }
    return _bytes(bytes(EthAccount.from_key(bytes(31) + b"\x01").sign_transaction(fields).raw_transaction))


LIES: dict[str, tuple[Lie, str]] = {
    "chain": (_more("chain_id"), "differ .* in chain_id$"),
    "nonce": (lambda asked, nonce: SIGNER.sign(asked, nonce + 1), "in nonce$"),
    "target": (_changed(to=Address("0x" + "77" * 20)), "in to$"),
    "value": (_more("value_wei"), "in value_wei$"),
    "calldata": (lambda asked, nonce: _changed(data=asked.data + b"\x01")(asked, nonce), "in data$"),
    "gas limit": (_more("gas_limit"), "in gas_limit$"),
    "fee cap": (_more("max_fee_wei"), "in max_fee_wei$"),
    "priority fee": (_more("priority_fee_wei"), "in priority_fee_wei$"),
    "two fields": (_changed(value_wei=5, gas_limit=5), "in gas_limit, value_wei$"),
    "access list": (_with_access_list, "access list"),
    "hash": (
        lambda asked, nonce: SignedTransaction(SIGNER.sign(asked, nonce).raw, Hash32("0x" + "ab" * 32)),
        "the signer says 0xabab",
    ),
    "a byte behind": (lambda asked, nonce: _bytes(SIGNER.sign(asked, nonce).raw + b"\x00"), "behind the transaction"),
    "another type": (lambda asked, nonce: _bytes(b"\x01" + SIGNER.sign(asked, nonce).raw[1:]), "type 1"),
    "nothing": (lambda _asked, _nonce: _bytes(b""), "type missing"),
}


class LyingSigner(WorldSigner):
    """Lies about one purpose while `lie` is set."""

    def __init__(self, world: World, purpose: Purpose) -> None:
        super().__init__(world)
        self.lie: Lie | None = None
        self.lies = 0
        self._purpose = purpose

    def sign(self, transaction: UnsignedTransaction, nonce: int) -> SignedTransaction:
        purpose = Purpose.CANCEL if transaction.to == transaction.sender else Purpose.EXECUTE
        if self.lie is None or purpose is not self._purpose:
            return super().sign(transaction, nonce)
        self.lies += 1
        return self.lie(transaction, nonce)


def _manager(world: World, signer: LyingSigner) -> TransactionManager:
    sockets = Sockets(
        cast("Chain", WorldChain(world)),
        WorldSimulator(world),
        signer,
        WorldJournal(world),
        WorldHoldings(),
        WorldClock(world),
    )
    return TransactionManager(ACCOUNT, RULES, sockets)


def _prepared(name: str) -> Prepared:
    return Prepared(name, rehearsed(transaction(name.encode())))


async def _execution_lied_about(lie: Lie) -> None:
    world = World(1, Counter())
    signer = LyingSigner(world, Purpose.EXECUTE)
    manager = _manager(world, signer)
    await manager.recover(version="1", config_digest="")
    await manager.reserve([intent("a"), intent("b")])
    signer.lie = lie
    (answer,) = await manager.execute([_prepared("a")])
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.CALLDATA_MISMATCH
    ended = [r.outcome for r in world.journal if isinstance(r, IntentEnded)]
    assert [(o.status, o.reason, o.cause) for o in ended] == [
        (IntentStatus.REFUSED, Reason.CALLDATA_MISMATCH, answer.detail)
    ]
    assert not [r for r in world.journal if isinstance(r, PayloadSigned)]
    assert not world.executions_out
    assert answer.detail in manager.state.halt_cause  # somebody must look at the signer
    signer.lie = None
    await manager.release("a person")
    (sent,) = await manager.execute([_prepared("b")])
    assert isinstance(sent, Submitted)
    assert [t.nonce for t in world.mempool.values()] == [0]  # the nonce of the refused one


async def _cancellation_lied_about(lie: Lie) -> None:
    world = World(1, Counter())
    world.faults = Faults(lost_request=100)
    signer = LyingSigner(world, Purpose.CANCEL)
    manager = _manager(world, signer)
    await manager.recover(version="1", config_digest="")
    await manager.reserve([intent("a", deadline=11)])
    await manager.execute([_prepared("a")])
    signer.lie, world.faults = lie, Faults()
    for lies in (1, 2):  # asked for again at every head
        world.mine()
        journaled = list(world.journal)
        await manager.on_head(world.head)
        assert (signer.lies, dict(world.mempool)) == (lies, {})
        added = world.journal[len(journaled) :]
        assert [type(record) for record in added] == ([AccountHalted] if lies == 1 else [])
    assert [len(slot.payloads) for slot in manager.state.open_slots] == [1]
    signer.lie = None
    world.mine()
    await manager.on_head(world.head)
    assert [t.is_cancel for t in world.mempool.values()] == [True]


@pytest.mark.parametrize("lie", LIES)
def test_a_signer_that_changes_an_execution_is_caught_before_the_journal(lie: str) -> None:
    asyncio.run(_execution_lied_about(LIES[lie][0]))


@pytest.mark.parametrize("lie", LIES)
def test_a_signer_that_changes_a_cancellation_is_caught_before_the_journal(lie: str) -> None:
    asyncio.run(_cancellation_lied_about(LIES[lie][0]))


@pytest.mark.parametrize("lie", LIES)
def test_the_refusal_names_what_was_changed(lie: str) -> None:
    make, words = LIES[lie]
    assert difference(SIGNER.sign(transaction(), 3), transaction(), 3) == ""
    assert re.search(words, difference(make(transaction(), 3), transaction(), 3))


@pytest.mark.parametrize("purpose", Purpose)
def test_without_the_comparison_these_tests_would_fail(purpose: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "difference", lambda *_: "")
    lie, _ = LIES["value"]
    run = _execution_lied_about(lie) if purpose is Purpose.EXECUTE else _cancellation_lied_about(lie)
    with pytest.RaisesGroup(KeyError, allow_unwrapped=True, flatten_subgroups=True):  # the world never saw such bytes
        asyncio.run(run)
