"""Drives the transaction machine by hand: gives inputs, keeps what came of them."""

from headrace.model.intent import Outcome
from headrace.model.record import (
    IntentEnded,
    Record,
    RunStarted,
)
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.pipeline.execute.commands import Append, Command, Send, Sign
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.inputs import (
    Execute,
    Input,
    Observed,
    Reserve,
    Signed,
)
from headrace.pipeline.execute.machine import step
from headrace.pipeline.execute.observe import watched
from headrace.pipeline.execute.state import State
from tests.support.intents import (
    ACCOUNT,
    RULES,
    SIGNER,
    block_hash,
    header,
    intent,
    reservation,
    transaction,
)

NOW = 1_000_000
REHEARSAL = Refusal(Reason.REHEARSAL_REVERTED, "it would revert")


class Machine:
    """Gives inputs and keeps what came of them."""

    def __init__(self, *, chain_nonce: int = 0) -> None:
        self.state = fold(State(), (RunStarted("", "", ACCOUNT, 0),), RULES.reorg_blocks)
        self.records: list[Record] = []
        self.look(10, chain_nonce=chain_nonce)

    def give(self, given: Input) -> tuple[Command, ...]:
        self.state, commands = step(self.state, given, RULES)
        self.records += [r for command in commands if isinstance(command, Append) for r in command.records]
        return commands

    def look(
        self,
        number: int,
        *,
        chain_nonce: int = 0,
        receipts: tuple[Receipt, ...] = (),
        branch: int = 0,
        now: int = NOW,
    ) -> tuple[Command, ...]:
        head = header(number, branch)
        asked = watched(self.state, head)
        found = {r.tx_hash: r for r in receipts}
        return self.give(Observed(head, chain_nonce, asked, found, now))

    def reserve(self, name: str = "i0", *, deadline: int = 12, capital_units: int = 0) -> tuple[Command, ...]:
        taken = reservation((f"pool of {name}",), capital_units=capital_units)  # type: ignore[arg-type]  # any text
        return self.give(Reserve(intent(name, deadline=deadline, reserved=taken), 1_000, NOW))

    def sign(self, command: Command) -> tuple[Command, ...]:
        assert isinstance(command, Sign)
        signed = SIGNER.sign(command.transaction, command.nonce)
        asked = (command.intent_id, command.nonce, command.purpose, command.transaction)
        return self.give(Signed(*asked, signed, command.why))

    def execute(self, name: str = "i0") -> SignedTransaction:
        """Reserve, execute, sign; answers what is to be sent."""
        self.reserve(name)
        (ask,) = self.give(Execute(name, transaction(name.encode()), NOW))
        append, send = self.sign(ask)
        assert isinstance(append, Append)
        assert append.is_synced
        assert isinstance(send, Send)
        return send.transaction

    def cancelled(self, number: int) -> SignedTransaction:
        (ask,) = self.look(number)
        _, send = self.sign(ask)
        assert isinstance(send, Send)
        return send.transaction

    def ended(self) -> list[Outcome]:
        return [record.outcome for record in self.records if isinstance(record, IntentEnded)]


def receipt(sent: SignedTransaction, number: int, *, branch: int = 0, is_success: bool = True) -> Receipt:
    return Receipt(sent.hash, number, block_hash(number, branch), 0, is_success, 200_000, 50, ())


def kinds(commands: tuple[Command, ...]) -> list[type]:
    return [type(command) for command in commands]


def folded(machine: Machine) -> State:
    """What a new process knows."""
    return fold(State(), (RunStarted("", "", ACCOUNT, 0), *machine.records), RULES.reorg_blocks)


def restarted(machine: Machine, number: int, *, chain_nonce: int = 0) -> tuple[State, tuple[Command, ...]]:
    anew = folded(machine)
    head = header(number)
    return step(anew, Observed(head, chain_nonce, watched(anew, head), {}, NOW), RULES)
