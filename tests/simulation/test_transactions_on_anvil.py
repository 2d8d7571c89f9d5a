"""The same machine against a real chain: anvil, over WebSocket, with the journal on disk and the key in a signer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from tests.support.intents import CHAIN_ID, LIMITS, intent, rehearsed, reservation
from tests.support.transaction_world import WorldHoldings

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.adapters.simulators.node.simulator import NodeSimulator
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.app.clock import SystemClock
from headrace.devnet.accounts import operator_key
from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import Address, PoolId
from headrace.model.intent import Intent, IntentStatus, Outcome, SlotStatus
from headrace.model.transaction import UnsignedTransaction
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared, Submitted
from headrace.pipeline.execute.transactions import TransactionManager

GWEI = 10**9
SIGNER = KeystoreSigner(Hidden(operator_key()))
CONTRACT = Address("0x" + "c0de" * 10)
ACCOUNT = Account(OWN_ACCOUNT, CHAIN_ID, SIGNER.address, CONTRACT)
REVERT_DATA = keccak(b"ProfitBelowMinimum(int256,uint256)")[:4] + encode(["int256", "uint256"], [-5, 3])
ACCEPTS = "0x00"


def _reverting_code() -> str:
    """PUSH32 each word of the revert data, MSTORE it, REVERT(0, 68)."""
    padded = REVERT_DATA + bytes(-len(REVERT_DATA) % 32)
    code = b"".join(
        b"\x7f" + padded[at : at + 32] + b"\x60" + bytes([at]) + b"\x52" for at in range(0, len(padded), 32)
    )
    return "0x" + (code + b"\x60" + bytes([len(REVERT_DATA)]) + b"\x60\x00\xfd").hex()


class Scene:
    """One chain, one journal; `manager` is the process of the moment."""

    def __init__(self, rpc: Rpc, chain: EvmChain, path: Path) -> None:
        self.rpc = rpc
        self.chain = chain
        self.path = path
        self.confirmations = 1
        self.journal = SqliteJournal(path)
        self.manager = self._new()

    def _new(self) -> TransactionManager:
        sockets = Sockets(
            self.chain, NodeSimulator(self.chain.client), SIGNER, self.journal, WorldHoldings(), SystemClock()
        )
        return TransactionManager(ACCOUNT, Rules(LIMITS, self.confirmations), sockets)

    def status(self) -> SlotStatus:
        return self.manager.state.slots[0].status

    async def restart(self) -> tuple[Outcome, ...]:
        self.journal.close()
        self.journal = SqliteJournal(self.path)
        self.manager = self._new()
        return (await self.manager.recover(version="test", config_digest="")).outcomes

    async def mine(self, base_fee_gwei: int = 1) -> tuple[Outcome, ...]:
        self.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(base_fee_gwei * GWEI))
        self.rpc.request("evm_mine")
        return await self.look()

    async def look(self) -> tuple[Outcome, ...]:
        return await self.manager.on_head(await self.chain.head())

    async def send(self, name: str) -> Submitted:
        head = await self.chain.head()
        cheap = msgspec.structs.replace(reservation((PoolId(f"pool of {name}"),)), native_usd_pico=1)
        wanted: Intent = intent(name, deadline=head.number + 2, reserved=cheap)
        assert await self.manager.reserve([wanted]) == [None]
        unsigned = UnsignedTransaction(CHAIN_ID, SIGNER.address, CONTRACT, 0, name.encode(), 300_000, 10 * GWEI, GWEI)
        (answer,) = await self.manager.execute([Prepared(name, rehearsed(unsigned))])
        assert isinstance(answer, Submitted)
        return answer


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil.start() as running:
        yield running


@asynccontextmanager
async def _scene(anvil: Anvil, tmp_path: Path) -> AsyncIterator[Scene]:
    with anvil.connect() as rpc:
        rpc.request("anvil_setCode", CONTRACT, ACCEPTS)
        async with EvmChain(EvmOptions(url=anvil.ws_url, chain_id=CHAIN_ID), SystemClock()) as chain:
            scene = Scene(rpc, chain, tmp_path / "journal.db")
            await scene.manager.recover(version="test", config_digest="")
            yield scene
            scene.journal.close()


def _play(anvil: Anvil, tmp_path: Path, play: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with _scene(anvil, tmp_path) as scene:
            await play(scene)

    asyncio.run(whole())


def test_two_executions_land_in_nonce_order(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        first, second = await scene.send("a"), await scene.send("b")
        assert not first.refusal
        assert not second.refusal
        assert await scene.mine() == ()
        outcomes = await scene.mine()
        assert [outcome.status for outcome in outcomes] == [IntentStatus.LANDED] * 2
        assert [outcome.tx_hash for outcome in outcomes] == [first.tx_hash, second.tx_hash]
        assert await scene.chain.nonce(SIGNER.address) == scene.manager.state.nonce_next == 2

    _play(anvil, tmp_path, play)


def test_a_reorg_that_drops_the_execution_is_answered_with_the_same_bytes(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        sent = await scene.send("a")
        await scene.mine()
        assert scene.status() is SlotStatus.INCLUDED
        scene.rpc.request("anvil_reorg", 1, [])
        assert await scene.chain.receipt(sent.tx_hash) is None  # anvil does not bring it back by itself
        await scene.look()
        assert scene.status() is SlotStatus.SENT
        await scene.mine()
        (outcome,) = await scene.mine()
        assert (outcome.status, outcome.tx_hash) == (IntentStatus.LANDED, sent.tx_hash)

    _play(anvil, tmp_path, play)


def test_a_stuck_execution_is_replaced_on_its_own_nonce(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        sent = await scene.send("a")
        await scene.mine(base_fee_gwei=12)  # above the execution's cap of 10
        await scene.mine(base_fee_gwei=12)
        assert len(scene.manager.state.slots[0].payloads) == 2
        await scene.mine(base_fee_gwei=12)
        (outcome,) = await scene.mine()
        assert outcome.status is IntentStatus.CANCELLED
        assert await scene.chain.receipt(sent.tx_hash) is None
        assert await scene.chain.nonce(SIGNER.address) == 1

    _play(anvil, tmp_path, play)


def test_a_restart_takes_up_what_was_sent(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        sent = await scene.send("a")
        assert await scene.restart() == ()
        assert scene.manager.state.nonce_next == 1
        await scene.mine()
        assert await scene.restart() == ()
        (outcome,) = await scene.mine()
        assert (outcome.status, outcome.tx_hash) == (IntentStatus.LANDED, sent.tx_hash)

    _play(anvil, tmp_path, play)


def test_a_restart_sends_bytes_that_the_node_forgot(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        sent = await scene.send("a")
        scene.rpc.request("anvil_dropAllTransactions")
        await scene.restart()
        await scene.mine()
        (outcome,) = await scene.mine()
        assert outcome.tx_hash == sent.tx_hash

    _play(anvil, tmp_path, play)


def test_a_revert_is_explained_by_the_contracts_own_error(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        scene.rpc.request("anvil_setCode", CONTRACT, _reverting_code())
        await scene.send("a")
        await scene.mine()
        (outcome,) = await scene.mine()
        assert outcome.status is IntentStatus.REVERTED
        assert (await scene.manager.with_cause(outcome)).cause == "ProfitBelowMinimum(-5, 3)"
        assert outcome.gas_cost_wei > 0

    _play(anvil, tmp_path, play)


def test_a_stranger_with_our_key_halts_the_account(anvil: Anvil, tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        foreign = UnsignedTransaction(CHAIN_ID, SIGNER.address, CONTRACT, 0, b"x", 100_000, 20 * GWEI, 2 * GWEI)
        await scene.chain.send(SIGNER.sign(foreign, 0))
        answer = await scene.send("a")
        assert "underpriced" in answer.refusal
        await scene.mine()
        (outcome,) = await scene.mine()
        assert outcome.status is IntentStatus.ABANDONED
        assert "not in the journal" in scene.manager.state.halt_cause

    _play(anvil, tmp_path, play)
