"""What `headrace status` makes of a journal: each trade once, by its last end."""

from contextlib import closing
from pathlib import Path

import msgspec
from tests.support.config_sample import SAMPLE
from tests.support.intents import ACCOUNT, block_hash, transaction
from tests.support.machine import NOW, Machine, receipt

from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.app.status import StatusReport, status
from headrace.model.record import RunStarted
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import Receipt
from headrace.pipeline.execute.commands import Send
from headrace.pipeline.execute.inputs import Drop, Execute

REHEARSAL = Refusal(Reason.REHEARSAL_REVERTED, "the lender is paused")


def told(machine: Machine, folder: Path) -> StatusReport:
    """What status says of all that a machine has recorded."""
    file = folder / "headrace.yaml"
    file.write_text(SAMPLE[: SAMPLE.index("  wallet:")] + "  data_dir: data\n")
    config: Config = load_config(file)
    with closing(SqliteJournal(config.journal_path)) as journal:
        journal.append((RunStarted("", "", ACCOUNT, 0), *machine.records), is_synced=True)
    return status(report=lambda _: None, config=config)


def on_the_next_engine(machine: Machine, name: str) -> Receipt:
    """Refused by the rehearsal on its first engine, executed on the second; in block 11."""
    machine.reserve(name, deadline=400)
    machine.give(Drop(name, REHEARSAL, NOW))
    machine.reserve(name, deadline=400)
    (ask,) = machine.give(Execute(name, transaction(name.encode()), NOW))
    _, send = machine.sign(ask)
    assert isinstance(send, Send)
    return receipt(send.transaction, 11, is_success=False)


def test_a_trade_that_another_engine_did_is_counted_once_by_what_became_of_it(tmp_path: Path) -> None:
    machine = Machine()
    found = on_the_next_engine(machine, "moved")
    machine.reserve("stopped")
    machine.give(Drop("stopped", REHEARSAL, NOW))
    for number in (11, 13):
        machine.look(number, chain_nonce=1, receipts=(found,))
    shown = told(machine, tmp_path)
    assert shown.ended == {"reverted": 1, "refused": 1}
    assert shown.gas_cost_native_wei == 200_000 * 50


def test_what_is_tried_on_its_next_engine_now_has_not_ended(tmp_path: Path) -> None:
    machine = Machine()
    on_the_next_engine(machine, "moved")
    shown = told(machine, tmp_path)
    assert shown.ended == {}
    assert [one.nonce for one in shown.open] == [0]


def test_an_end_that_a_reorg_took_back_is_not_counted_beside_its_new_one(tmp_path: Path) -> None:
    machine = Machine()
    found = on_the_next_engine(machine, "moved")
    for number in (11, 13):
        machine.look(number, chain_nonce=1, receipts=(found,))
    anew = msgspec.structs.replace(found, block_number=14, block_hash=block_hash(14, 1), gas_used=1)
    for number in (14, 16):
        machine.look(number, chain_nonce=1, receipts=(anew,), branch=1)
    shown = told(machine, tmp_path)
    assert shown.ended == {"reverted": 1}
    assert shown.gas_cost_native_wei == 50
