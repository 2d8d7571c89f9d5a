"""`headrace release`: a person takes a halted account, and pools that tripped, up again; no start does it by itself."""

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.errors import JournalError, UsageError
from headrace.model.record import AccountHalted, AccountReleased
from headrace.model.token import decimal_text
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.state import State

if TYPE_CHECKING:
    from rich.console import Console

_USD_DECIMALS = 6
_NAME_LENGTH_MAX = 100


class ReleaseReport(msgspec.Struct, frozen=True):
    """What was released; `causes` are all for which it had been halted, the first one first.

    `tripped` gives the cause of each pool that is traded again.
    `lost_today_usd` counts towards the daily limit no longer. `open_nonces` are still to be brought to their end.
    """

    journal: str
    account: str
    by: str
    causes: tuple[str, ...]
    tripped: dict[str, str]
    lost_today_usd: str
    open_nonces: tuple[int, ...]


def release(*, report: Report, config: Config, by: str) -> ReleaseReport:
    """Write to the journal that a person, `by` name, released the account and its pools; durable on return.

    Raises:
        UsageError: there is nothing to release, or nobody is named; the causes are told to whom names nobody.
        JournalLockedError: an agent writes the journal.
        JournalError: there is no journal, or it cannot be read or written.
    """
    path = config.journal_path
    if not path.exists():  # opening it as its writer would make one
        raise JournalError(f"there is no journal at {path}: check the path, or run once with --live")
    report("opening the journal")
    with closing(SqliteJournal(path)) as journal:
        state, causes = _read(journal, config)
        if not causes and not state.tripped:
            nothing = "the account is not halted and no pool tripped, there is nothing to release"
            raise UsageError(f"{nothing}: see `headrace status` of {path}")
        now = SystemClock().now()
        journal.append((AccountReleased(_named(by, _told(causes, state)), now),), is_synced=True)
    owner = state.owner
    return ReleaseReport(
        journal=str(path),
        account=f"{owner.operator} on chain {owner.chain_id}",
        by=by.strip(),
        causes=causes,
        tripped=dict(sorted(state.tripped.items())),
        lost_today_usd=decimal_text(state.usage(now).loss_usd_micro_today, _USD_DECIMALS),
        open_nonces=tuple(slot.key.nonce for slot in state.open_slots),
    )


def render(result: object, console: "Console") -> None:
    """Lines for a person."""
    assert isinstance(result, ReleaseReport)
    lines = [f"released by {result.by}: {result.account} ({result.journal})"]
    lines += [f"it was halted: {cause}" for cause in result.causes]
    lines += [f"pool {pool} was tripped: {cause}" for pool, cause in result.tripped.items()]
    lines.append(
        f"${result.lost_today_usd} lost today count no longer: the whole of max_daily_loss_usd may be lost anew"
    )
    lines += [f"open: nonce {nonce}, which the next run brings to its end" for nonce in result.open_nonces]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _read(journal: SqliteJournal, config: Config) -> tuple[State, tuple[str, ...]]:
    state, causes = State(), dict[str, None]()
    for record in journal.read():
        state = fold(state, (record,), config.chain.reorg_depth_blocks)
        if isinstance(record, AccountHalted):
            causes[record.cause] = None
        elif isinstance(record, AccountReleased):
            causes.clear()
    return state, tuple(causes)


def _told(causes: tuple[str, ...], state: State) -> str:
    halted = [f"halted because {'; '.join(causes)}"] if causes else []
    return "; ".join(halted + [f"pool {pool} tripped because {cause}" for pool, cause in sorted(state.tripped.items())])


def _named(by: str, told: str) -> str:
    name = by.strip()
    if name and name.isprintable() and len(name) <= _NAME_LENGTH_MAX:
        return name
    raise UsageError(
        f"{told}: look into it, then repeat with --by and the name of who releases it "
        f"(one line, {_NAME_LENGTH_MAX} characters at most)"
    )
