"""`kill -9` of `headrace run --live` against `headrace devnet up`, at random and at the worst instants, then a restart.

Nothing may be sent twice and nothing forgotten. The oracle is the devnet's chain, read by `settlement`; the kills are
real SIGKILLs of processes that run the command's own entry point.
"""

import os
import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest
from tests.end_to_end.background_devnet import BackgroundDevnet, devnet_running
from tests.end_to_end.fork_server import ForkServer
from tests.end_to_end.killing_proxy import KillingProxy, Moment
from tests.end_to_end.settlement import Journaled, OnChain, faults, sorted_out, transactions_of
from tests.support.node_proxy import running_in_thread
from tests.support.waiting import found

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.config.load import load_config
from headrace.devnet.rpc import Rpc, quantity
from headrace.model.execution import is_explained
from headrace.model.intent import IntentStatus, Purpose
from headrace.model.record import IntentEnded, PayloadSigned, Record, SlotFinal

SEED = 20_261_120
BLOCK_SECONDS = 0.3
MOMENT_SECONDS_MAX = 15.0
DELAY_SECONDS_MAX = {Moment.AT_RANDOM: 1.5, Moment.AFTER_SIMULATION: 0.003, Moment.IN_RECOVERY: 0.006}
DELAY_SHARES = (0.0, 0.2, 1.0)  # some at once, some soon
KILLS = {
    Moment.AT_RANDOM: 12,
    Moment.AFTER_SIMULATION: 12,
    Moment.AT_JOURNAL: 12,
    Moment.BEFORE_FORWARD: 12,
    Moment.BEFORE_ANSWER: 12,
    Moment.IN_RECOVERY: 12,
}
LEAST = {
    "kills": 72,
    Moment.AFTER_SIMULATION.value: 10,
    Moment.AT_JOURNAL.value: 10,
    Moment.BEFORE_FORWARD.value: 10,
    Moment.BEFORE_ANSWER.value: 10,
    Moment.IN_RECOVERY.value: 10,
    "signed, not sent before the kill": 10,
    "sends without an answer": 8,
    "on the chain": 10,
    f"ended: {IntentStatus.LANDED.value}": 2,
    f"ended: {IntentStatus.CANCELLED.value}": 2,
}
CLOSING_BLOCKS = "12"


class Lives:
    """Starts the agent again and again, and ends it."""

    def __init__(self, devnet: BackgroundDevnet, proxy: KillingProxy, server: ForkServer, seed: int) -> None:
        self.config = devnet.config_with("through_proxy.yaml", {devnet.running.ws_url: proxy.ws_url})
        self.closing_config = devnet.config_with(
            "closing.yaml",
            {devnet.running.ws_url: proxy.ws_url, "min_profit_usd: 0.5 USD": "min_profit_usd: 9000000 USD"},
        )
        self.output = devnet.folder / "agent.log"
        self.kills: Counter[Moment] = Counter()
        self.unsent_at_death: set[str] = set()
        self._port = devnet.port
        self._proxy = proxy
        self._server = server
        self._random = random.Random(seed)
        loaded = load_config(self.config)
        self.journal = loaded.journal_path
        proxy.watch(self.journal)

    def run(self, moments: dict[Moment, int]) -> None:
        """All of them in random order, but a kill during recovery follows one that left something open."""
        firsts = [m for m, count in moments.items() if m is not Moment.IN_RECOVERY for _ in range(count)]
        self._random.shuffle(firsts)
        in_recovery = moments[Moment.IN_RECOVERY]
        for moment in firsts:
            self._live(moment)
            if moment is Moment.BEFORE_FORWARD and self.kills[moment] % 2:
                self._let_deadline_pass()
            if in_recovery and moment in {Moment.BEFORE_FORWARD, Moment.BEFORE_ANSWER}:
                self._live(Moment.IN_RECOVERY)
                in_recovery -= 1

    def close(self) -> int:
        """One life that takes on nothing new and runs to its end."""
        args = ["run", "--config", str(self.closing_config), "--live", "--blocks", CLOSING_BLOCKS]
        return self._server.wait(self._server.start(args, self.output))

    def _let_deadline_pass(self) -> None:
        with Rpc(self._port) as rpc:
            block = quantity(rpc.request("eth_blockNumber")) + 3
            found(
                lambda: True if quantity(rpc.request("eth_blockNumber")) >= block else None,
                f"block {block} of the devnet",
                MOMENT_SECONDS_MAX,
            )

    def _die_at_journal(self) -> None:
        args = ["run", "--config", str(self.config), "--live"]
        pid = self._server.start(args, self.output, dies_at_journal=True)
        patience = threading.Timer(MOMENT_SECONDS_MAX, os.kill, (pid, signal.SIGKILL))
        patience.start()
        assert self._server.wait(pid) == -signal.SIGKILL, self.output.read_text()[-3000:]
        self.kills[Moment.AT_RANDOM if patience.finished.is_set() else Moment.AT_JOURNAL] += 1
        patience.cancel()
        patience.join()
        self.unsent_at_death |= sorted_out(list(read_journal(self.journal))).executions - set(self._proxy.sent_hashes)

    def _live(self, moment: Moment) -> None:
        if moment is Moment.AT_JOURNAL:
            self._die_at_journal()
            return
        delay = self._random.uniform(0, DELAY_SECONDS_MAX.get(moment, 0.0))
        if moment is not Moment.AT_RANDOM:
            delay *= self._random.choice(DELAY_SHARES)
        pid = self._server.start(["run", "--config", str(self.config), "--live"], self.output)
        self._proxy.aim(pid, moment, delay)
        patience = delay if moment is Moment.AT_RANDOM else MOMENT_SECONDS_MAX
        is_hit = self._proxy.fell.wait(patience)
        if not is_hit:
            self._proxy.disarm()
            os.kill(pid, signal.SIGKILL)
        assert self._server.wait(pid) == -signal.SIGKILL, self.output.read_text()[-3000:]
        self.kills[moment if is_hit else Moment.AT_RANDOM] += 1


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundDevnet]:
    with devnet_running(tmp_path_factory.mktemp("devnet"), BLOCK_SECONDS) as running:
        yield running


@pytest.fixture(scope="module")
def settled(devnet: BackgroundDevnet) -> tuple[Lives, KillingProxy, list[Record], list[OnChain]]:
    with ForkServer() as server, running_in_thread(KillingProxy(devnet.port)) as proxy:
        lives = Lives(devnet, proxy, server, SEED)
        assert server.warm_up(["run", "--config", str(lives.config), "--blocks", "3"]) == 0
        lives.run(KILLS)
        assert lives.close() == 0, lives.output.read_text()[-3000:]
        with Rpc(devnet.port) as rpc:
            chain = transactions_of(rpc, devnet.running.market.operator, devnet.running.market.deploy_block)
    return lives, proxy, list(read_journal(lives.journal)), chain


def test_after_seventy_kills_nothing_was_sent_twice_and_nothing_forgotten(
    settled: tuple[Lives, KillingProxy, list[Record], list[OnChain]],
) -> None:
    lives, proxy, records, chain = settled
    journaled = sorted_out(records)
    assert faults(journaled, chain) == []
    assert proxy.sent_before_journaled == []
    assert chain[0].nonce == 0
    _assert_worth(lives, proxy, journaled, chain)


def test_after_seventy_kills_the_history_has_a_row_of_all_that_ended_and_why_it_reverted(
    settled: tuple[Lives, KillingProxy, list[Record], list[OnChain]],
) -> None:
    lives, _, records, _ = settled
    last = {name: outcomes[-1] for name, outcomes in sorted_out(records).outcomes.items()}
    executed = {name: outcome.status for name, outcome in last.items() if outcome.tx_hash is not None}
    with closing(sqlite3.connect(lives.journal.with_name("history.sqlite"))) as history:
        rows = {row[0]: row[1:] for row in history.execute("SELECT id, status, cause FROM execution_results")}
    assert {name: row[0] for name, row in rows.items()} == {name: status.value for name, status in executed.items()}
    assert all(is_explained(cause) for status, cause in rows.values() if status == IntentStatus.REVERTED.value)
    assert IntentStatus.CANCELLED in executed.values()


@pytest.mark.parametrize("forgotten", [PayloadSigned, IntentEnded, SlotFinal])
def test_a_journal_that_forgot_one_record_is_caught(
    settled: tuple[Lives, KillingProxy, list[Record], list[OnChain]], forgotten: type[Record]
) -> None:
    _, _, records, chain = settled
    landed = {tx.hash for tx in chain}
    last = max(
        index
        for index, record in enumerate(records)
        if isinstance(record, forgotten) and (not isinstance(record, PayloadSigned) or record.payload.tx_hash in landed)
    )
    assert faults(sorted_out(records[:last] + records[last + 1 :]), chain) != []


def test_a_transaction_that_landed_twice_or_was_never_mined_is_caught(
    settled: tuple[Lives, KillingProxy, list[Record], list[OnChain]],
) -> None:
    _, _, records, chain = settled
    journaled = sorted_out(records)
    again = msgspec.structs.replace(chain[-1], nonce=chain[-1].nonce + 1)
    assert faults(journaled, [*chain, again]) != []
    assert faults(journaled, chain[:-1]) != []
    executed = next(tx for tx in chain if journaled.payloads[tx.hash][2].purpose is Purpose.EXECUTE)
    turned = msgspec.structs.replace(executed, is_success=not executed.is_success)
    assert faults(journaled, [turned if tx is executed else tx for tx in chain]) != []


def _assert_worth(lives: Lives, proxy: KillingProxy, journaled: Journaled, chain: list[OnChain]) -> None:
    sent = set(proxy.sent_hashes)
    statuses = Counter(outcome.status for outcomes in journaled.outcomes.values() for outcome in outcomes)
    counts = {
        "kills": lives.kills.total(),
        **{moment.value: count for moment, count in lives.kills.items()},
        "sends without an answer": len(journaled.payloads.keys() - journaled.answered),
        "signed, not sent before the kill": len(lives.unsent_at_death | (journaled.executions - sent)),
        "sent by the life after": len(lives.unsent_at_death & sent),
        "on the chain": len(chain),
        **{f"ended: {status.value}": count for status, count in statuses.items()},
    }
    print(f"seed {SEED}: {counts}")  # noqa: T201 - how often each case was reached
    for name, least in LEAST.items():
        assert counts.get(name, 0) >= least, f"{name}: {counts.get(name, 0)}, at least {least} are wanted: {counts}"
