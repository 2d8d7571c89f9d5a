"""`headrace status`: what the journal knows, without a node: open transactions, limits in use, profit and loss."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.model.address import Address, Hash32
from headrace.model.intent import Outcome, Slot
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

    `ended` counts each trade once, by its last end: an engine that could not pay is no end where the next one was tried
    for the same trade, and neither is what a reorg took back. `tripped` gives each tripped pool's cause. `realised_wei`
    is by token, from receipts, before gas; `realised_native_wei` is the same at the quotes' conversion.
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


class _End(msgspec.Struct, frozen=True, gc=False):
    """How a trade ended, and what that gave; `symbol` is empty where nothing landed."""

    status: str
    gas_wei: int
    symbol: str = ""
    realised_units: int = 0
    realised_native_wei: int = 0


class _Folded:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._symbols: dict[Address, str] = {a: s for s, a in config.chain.tokens.items()}
        self._state = State()
        self._count = 0
        self._ends: dict[str, _End] = {}
        self._refusals: Counter[str] = Counter()

    def take(self, record: Record) -> None:
        self._state = fold(self._state, (record,), self._config.chain.reorg_depth_blocks)
        self._count += 1
        if isinstance(record, RefusalNoted):
            self._refusals[record.reason.value] += record.count
        elif isinstance(record, IntentEnded):
            self._ends[record.outcome.intent_id] = self._end(record.outcome)

    def report(self) -> StatusReport:
        state, usage = self._state, self._state.usage(SystemClock().now())
        ends = [end for intent_id, end in self._ends.items() if intent_id not in state.intents]
        realised: Counter[str] = Counter()
        for end in ends:
            realised.update({end.symbol: end.realised_units} if end.symbol else {})
        return StatusReport(
            journal=str(self._config.journal_path),
            records=self._count,
            account="" if state.account is None else f"{state.account.operator} on chain {state.account.chain_id}",
            halted=state.halt_cause,
            tripped=dict(sorted(state.tripped.items())),
            ended=dict(Counter(end.status for end in ends)),
            open=tuple(_open(slot) for slot in state.open_slots),
            refusals=dict(sorted(self._refusals.items())),
            realised_wei=dict(realised),
            realised_native_wei=sum(end.realised_native_wei for end in ends),
            gas_cost_native_wei=sum(end.gas_wei for end in ends),
            reserved=usage.count,
            exposure_usd=_usd(usage.exposure_usd_micro),
            exposure_usd_by={scope: _usd(micro) for scope, micro in sorted(usage.exposure_usd_micro_by.items())},
            lost_today_usd=_usd(usage.loss_usd_micro_today),
        )

    def _end(self, outcome: Outcome) -> "_End":
        end = _End(outcome.status.value, outcome.gas_cost_wei)
        slot = self._state.slot_of(outcome.intent_id)
        if slot is None or slot.receipt is None or not slot.receipt.is_success:
            return end
        intent, executor = slot.intent, self._state.owner.executor
        units = net_transfer_units(slot.receipt.logs, intent.profit_token, executor)
        native_wei = units * intent.quoted_profit_native_wei // intent.quoted_profit_units
        symbol = self._symbols.get(intent.profit_token, intent.profit_token)
        return msgspec.structs.replace(end, symbol=symbol, realised_units=units, realised_native_wei=native_wei)


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
