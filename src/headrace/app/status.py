"""`headrace status`: what the journal knows, without a node: open transactions, limits in use, profit and loss."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.model.address import Address, Hash32
from headrace.model.intent import Slot
from headrace.model.record import IntentEnded, Record, RefusalNoted
from headrace.model.token import decimal_text
from headrace.model.transfers import net_transfer_units
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.state import State

if TYPE_CHECKING:
    from rich.console import Console

_NATIVE_DECIMALS = 18
_USD_DECIMALS = 6


class OpenTransaction(msgspec.Struct, frozen=True):
    """A nonce whose end is not known yet."""

    nonce: int
    status: str
    route: str
    tx_hashes: tuple[Hash32, ...]
    deadline_block: int


class StatusReport(msgspec.Struct, frozen=True):
    """The journal in numbers.

    `tripped` gives each tripped pool's cause. `realised_wei` is by token, from receipts, before gas;
    `realised_native_wei` is the same at the quotes' conversion.
    """

    journal: str
    records: int
    account: str
    halted: str
    tripped: dict[str, str]
    ended: dict[str, int]
    open: tuple[OpenTransaction, ...]
    refusals: dict[str, int]
    realised_wei: dict[str, int]
    realised_native_wei: int
    gas_cost_native_wei: int
    reserved: int
    exposure_usd: str
    exposure_usd_by: dict[str, str]
    lost_today_usd: str


def status(*, report: Report, config: Config) -> StatusReport:
    """Fold the journal.

    Raises:
        JournalError: there is none, or it cannot be read.
    """
    report("reading the journal")
    folded = _Folded(config)
    for record in read_journal(config.journal_path):
        folded.take(record)
    return folded.report()


def render(result: object, console: "Console") -> None:
    """Lines for a person."""
    assert isinstance(result, StatusReport)
    console.print(f"{result.journal}: {result.records} records of {result.account}", highlight=False, soft_wrap=True)
    if result.halted:
        console.print(
            f"HALTED: {result.halted} (look into it, then: headrace release)",
            style="bold red",
            highlight=False,
            markup=False,
        )
    for pool, cause in result.tripped.items():
        console.print(
            f"TRIPPED: pool {pool}: {cause} (look into it, then: headrace release)",
            style="bold red",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    ended = ", ".join(f"{count} {name}" for name, count in result.ended.items()) or "nothing yet"
    console.print(f"ended: {ended}", highlight=False)
    for one in result.open:
        console.print(f"open: nonce {one.nonce} {one.status}: {one.route}", highlight=False, markup=False)
    earned, gas = result.realised_native_wei, result.gas_cost_native_wei
    parts = ", ".join(f"{units} units of {symbol}" for symbol, units in result.realised_wei.items())
    console.print(
        f"realised {_native(earned)}, gas {_native(gas)}, net {_native(earned - gas)} in native coin"
        f"{f' ({parts})' if parts else ''}",
        highlight=False,
        markup=False,
    )
    console.print(
        f"in use: {result.reserved} {'reservation' if result.reserved == 1 else 'reservations'}, "
        f"${result.exposure_usd} exposed, ${result.lost_today_usd} lost today",
        highlight=False,
    )


class _Folded:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._symbols: dict[Address, str] = {a: s for s, a in config.chain.tokens.items()}
        self._state = State()
        self._count = 0
        self._ended: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._realised: Counter[str] = Counter()
        self._realised_native_wei = 0
        self._gas_wei = 0

    def take(self, record: Record) -> None:
        self._state = fold(self._state, (record,), self._config.chain.reorg_depth_blocks)
        self._count += 1
        if isinstance(record, RefusalNoted):
            self._refusals[record.reason.value] += record.count
        elif isinstance(record, IntentEnded):
            self._ended[record.outcome.status.value] += 1
            self._gas_wei += record.outcome.gas_cost_wei
            self._realise(record)

    def report(self) -> StatusReport:
        state, usage = self._state, self._state.usage(SystemClock().now())
        return StatusReport(
            journal=str(self._config.journal_path),
            records=self._count,
            account="" if state.account is None else f"{state.account.operator} on chain {state.account.chain_id}",
            halted=state.halt_cause,
            tripped=dict(sorted(state.tripped.items())),
            ended=dict(self._ended),
            open=tuple(_open(slot) for slot in state.open_slots),
            refusals=dict(sorted(self._refusals.items())),
            realised_wei=dict(self._realised),
            realised_native_wei=self._realised_native_wei,
            gas_cost_native_wei=self._gas_wei,
            reserved=usage.count,
            exposure_usd=_usd(usage.exposure_usd_micro),
            exposure_usd_by={scope: _usd(micro) for scope, micro in sorted(usage.exposure_usd_micro_by.items())},
            lost_today_usd=_usd(usage.loss_usd_micro_today),
        )

    def _realise(self, record: IntentEnded) -> None:
        slot = self._state.slot_of(record.outcome.intent_id)
        if slot is None or slot.receipt is None or not slot.receipt.is_success:
            return
        intent, executor = slot.intent, self._state.owner.executor
        units = net_transfer_units(slot.receipt.logs, intent.profit_token, executor)
        self._realised[self._symbols.get(intent.profit_token, intent.profit_token)] += units
        self._realised_native_wei += units * intent.quoted_profit_native_wei // intent.quoted_profit_units


def _open(slot: Slot) -> OpenTransaction:
    return OpenTransaction(
        nonce=slot.key.nonce,
        status=slot.status.value,
        route=slot.intent.route_text,
        tx_hashes=tuple(payload.tx_hash for payload in slot.payloads),
        deadline_block=slot.intent.deadline_block,
    )


def _native(wei: int) -> str:
    return decimal_text(wei, _NATIVE_DECIMALS)


def _usd(micro: int) -> str:
    return decimal_text(micro, _USD_DECIMALS)
