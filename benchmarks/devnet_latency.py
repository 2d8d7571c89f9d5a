"""How long from a block's announcement to a transaction that the node has accepted, against what nobody can save?

Ours is the agent of `headrace run` on the devnet, from the first frame that announces a block to the node's answer to
`eth_sendRawTransaction`: receipts of the last block, logs, market, search, integers, reservation, rehearsal, signature,
synced journal. Both instants stand in its journal.

Bare is the sum of three things done one after the other, beside the agent, for each of its executions, while the
devnet rests: the same transaction simulated by `eth_simulateV1` on the same block over a plain WebSocket; the signed
bytes appended to a file on the journal's disk and synced; and a raw transaction accepted. The last cannot be ours,
which the node knows already and would refuse at once, so it has our calldata, gas limit and fees and is signed by a
bystander; afterwards it is dropped, so that no block differs. A node that has just simulated the agent's transaction
has its state at hand, so bare is, if anything, too cheap.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.measure import Answer, Effort, Figure, Goal, percentile
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.agent import ArbitrageAgent
from headrace.app.agents import open_agent
from headrace.app.cli.devnet_files import write_devnet_files
from headrace.app.cli.logs import log_to_stderr
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.app.places import open_places
from headrace.devnet.accounts import account_address, account_key, operator_key
from headrace.devnet.driver import Driver
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.state_dir import RunningDevnet
from headrace.devnet.world import Devnet
from headrace.model.intent import Intent, Payload, Purpose
from headrace.model.record import IntentOpened, PayloadSent, PayloadSigned

_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"
_SEED = 7
_BYSTANDER = 10  # an account of the chain that nobody else uses
_BLOCKS_MAX_PER_EXECUTION = 20
_SECONDS_MAX = 60.0


class Sample(msgspec.Struct, frozen=True):
    """One execution beside its bare cost, in nanoseconds."""

    ours_ns: int
    simulate_ns: int
    sync_ns: int
    send_ns: int

    @property
    def bare_ns(self) -> int:
        return self.simulate_ns + self.sync_ns + self.send_ns


class Accepted(msgspec.Struct, frozen=True):
    """An execution whose signed bytes the node has taken."""

    intent: Intent
    payload: Payload
    accepted_ns: int


class JournalTail:
    """Executions that were accepted since the last look, from the agent's own journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()

    def news(self) -> Iterator[Accepted]:
        """Each once."""
        intents: dict[str, Intent] = {}
        signed: dict[str, PayloadSigned] = {}
        for record in read_journal(self._path):
            if isinstance(record, IntentOpened):
                intents[record.intent.id] = record.intent
            elif isinstance(record, PayloadSigned):
                signed[record.payload.tx_hash] = record
            elif isinstance(record, PayloadSent) and record.tx_hash not in self._seen:
                self._seen.add(record.tx_hash)
                one = signed[record.tx_hash]
                if one.payload.purpose is Purpose.EXECUTE:
                    yield Accepted(intents[one.intent_id], one.payload, record.at_ns)


class Bare:
    """The three things that nobody can save."""

    def __init__(self, devnet: Devnet, websocket: ClientConnection, file: int) -> None:
        self._devnet = devnet
        self._websocket = websocket
        self._file = file
        self._signer = KeystoreSigner(Hidden(account_key(_BYSTANDER)))

    async def measure(self, one: Accepted) -> Sample:
        """Do them, one after the other."""
        simulation, send = await self._simulation(one), self._send(one)
        started = time.monotonic_ns()
        simulated = await self._asked(simulation)
        simulated_ns = time.monotonic_ns()
        os.write(self._file, one.payload.raw)
        os.fsync(self._file)
        synced_ns = time.monotonic_ns()
        accepted = await self._asked(send)
        accepted_ns = time.monotonic_ns()
        assert "error" not in simulated, simulated
        assert "error" not in accepted, accepted
        self._devnet.rpc.request("anvil_dropTransaction", accepted["result"])
        return Sample(
            ours_ns=one.accepted_ns - one.intent.announced_ns,
            simulate_ns=simulated_ns - started,
            sync_ns=synced_ns - simulated_ns,
            send_ns=accepted_ns - synced_ns,
        )

    async def _asked(self, frame: bytes) -> dict[str, object]:
        await self._websocket.send(frame, text=True)
        answer: dict[str, object] = msgspec.json.decode(await self._websocket.recv(decode=False))
        return answer

    async def _simulation(self, one: Accepted) -> bytes:
        transaction = one.payload.transaction
        call = {
            "from": transaction.sender,
            "to": transaction.to,
            "gas": hex(transaction.gas_limit),
            "data": "0x" + transaction.data.hex(),
            "maxFeePerGas": hex(transaction.max_fee_wei),
            "maxPriorityFeePerGas": hex(transaction.priority_fee_wei),
        }
        block = {"blockOverrides": await self._overrides(one), "calls": [call]}
        payload = {"blockStateCalls": [block], "validation": True}
        return _frame("eth_simulateV1", [payload, {"blockHash": one.intent.quoted_block_hash}])

    async def _overrides(self, one: Accepted) -> dict[str, str]:
        asked = _frame("eth_getBlockByHash", [one.intent.quoted_block_hash, False])
        header = (await self._asked(asked))["result"]
        assert isinstance(header, dict)
        return {
            "number": hex(one.intent.quoted_block + 1),
            "time": hex(int(header["timestamp"], 16) + BLOCK_SECONDS),
            "baseFeePerGas": hex(one.payload.transaction.max_fee_wei // 2),
            "feeRecipient": header["miner"],
        }

    def _send(self, one: Accepted) -> bytes:
        mine = msgspec.structs.replace(one.payload.transaction, sender=account_address(_BYSTANDER))
        return _frame("eth_sendRawTransaction", ["0x" + self._signer.sign(mine, 0).raw.hex()])


def run(effort: Effort) -> Answer:
    log_to_stderr("error")
    _FOLDER.mkdir(parents=True, exist_ok=True)  # beside the sources: a folder for temporary files may be in memory
    with TemporaryDirectory(dir=_FOLDER) as folder, Devnet.start(_SEED) as devnet:
        running = RunningDevnet(
            pid=os.getpid(),
            http_url=devnet.anvil.http_url,
            ws_url=devnet.anvil.ws_url,
            ipc_path=None,
            block_time_seconds=BLOCK_SECONDS,
            market=devnet.market,
        )
        config = load_config(write_devnet_files(running, Path(folder)))
        samples, blocks = asyncio.run(_trade(devnet, config, effort.executions))
    return _answer(samples, blocks)


async def _trade(devnet: Devnet, config: Config, executions: int) -> tuple[list[Sample], int]:
    signer = KeystoreSigner(Hidden(operator_key()))
    config.data_dir.mkdir(parents=True, exist_ok=True)
    file = os.open(config.data_dir / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        async with (
            open_places(config, config.chain_name, _silent) as places,
            open_agent(places, signer) as agent,
            connect(devnet.anvil.ws_url, compression=None, max_size=None) as websocket,
            asyncio.TaskGroup() as tasks,
        ):
            trading = tasks.create_task(agent.run())
            bare = Bare(devnet, websocket, file)
            samples = await _follow(devnet, agent, JournalTail(config.journal_path), bare, executions)
            trading.cancel()
            return samples, agent.tally.blocks
    finally:
        os.close(file)


async def _follow(
    devnet: Devnet, agent: ArbitrageAgent, journal: JournalTail, bare: Bare, executions: int
) -> list[Sample]:
    driver = Driver(devnet, _SEED)
    samples: list[Sample] = []

    async def finished(block: int) -> None:
        await asyncio.wait_for(agent.finished(block), _SECONDS_MAX)
        samples.extend([await bare.measure(one) for one in journal.news()])

    await finished(driver.block)
    for _ in range(executions * _BLOCKS_MAX_PER_EXECUTION):
        if len(samples) >= executions:
            break
        await driver.step(finished)
    return samples


def _answer(samples: list[Sample], blocks: int) -> Answer:
    figures = [
        Figure(
            f"announcement to accepted transaction, p{percent}",
            percentile([one.ours_ns for one in samples], percent),
            "bare simulate + fsync + send",
            percentile([one.bare_ns for one in samples], percent),
            len(samples),
            Goal("cost", 2.0),
        )
        for percent in (50, 99)
    ]
    parts = {
        "simulate": [one.simulate_ns for one in samples],
        "fsync": [one.sync_ns for one in samples],
        "send": [one.send_ns for one in samples],
    }
    medians = ", ".join(f"{name} {percentile(values, 50) / 1e6:.2f} ms" for name, values in parts.items())
    return Answer(tuple(figures), (f"{len(samples)} executions in {blocks} blocks; bare: {medians}",))


def _frame(method: str, params: list[object]) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def _silent(_text: str) -> None:
    """A benchmark's own lines are enough."""
