"""Quotes executed: a real plan of a real Executor, mined, whose first step is the quoted swap.

A plan is a closed walk with a profit, so a pair of Uniswap v2 closes it, so lopsided that a single unit of the swap's
output buys back more than was spent. The output ends in that pair: straight from the pool, or by way of the Executor
where a pool pays only its caller. So the oracle is two balances: what the pair holds more of the output is what came
out of the step, and what the Executor is left with shows that the step took its input and nothing else.

Tokens are dealt by the node, which needs no block; blocks are taken back, so the chain is left as it was found. A
subject adds nothing, provided that its tokens keep balances in a mapping.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.conformance.protocols.local_chain import NodeOnly
from tests.conformance.protocols.subject import Case, Subject, directions, draw_cases, quote, read_states

from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import OPERATOR, OWNER, account_address
from headrace.devnet.artifacts import npm_artifact, own_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.rpc import Call, RpcFailure
from headrace.errors import DevnetError
from headrace.kernels import constant_product
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.block import BlockContext
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.executor_step import UniswapV2Step
from headrace.ports.pool import PoolState

SEED = 20_260_103
EXECUTED = 40
REFUSED = 10
_DRAWN = 1200
_FEE_PIPS = 3000
_BAIT = 1 << 111  # of the token that was spent, in the pair
_UNITS_OUT_MAX = 1 << 111
_UNITS_IN_MAX = 1 << 109  # half of what one unit of output buys back
_EXECUTE = "execute(bytes)"


class Execution(NamedTuple):
    """A case, our quote on the block before, and what the chain says of the plan."""

    case: Case
    quoted: int
    paid: int
    kept: int
    gas_used: int


class Trial(NamedTuple):
    """What was executed, what could be although our quote refused it, and the block that all of it was quoted for."""

    at: BlockContext
    executions: list[Execution]
    refused: int
    paid_though_refused: list[Case]


class Closing:
    """An Executor, and a pair per direction that closes a plan through it."""

    def __init__(self, chain: NodeOnly) -> None:
        self._chain = chain
        self._owner = Deployer(chain.rpc, account_address(OWNER))
        self.operator = account_address(OPERATOR)
        self.executor = self._owner.deploy(
            own_artifact("Executor"), ("address", "address"), self._owner.sender, ZERO_ADDRESS
        )
        self._owner.transact(self.executor, "setOperator(address,bool)", self.operator, True)
        self._pairs: dict[tuple[Address, Address], Address] = {}

    def enter(self, token_in: Address, token_out: Address) -> None:
        """Make the pair that buys token_in back for token_out."""
        if (token_in, token_out) in self._pairs:
            return
        artifact = npm_artifact("@uniswap/v2-core/build/UniswapV2Factory.json")
        factory = self._owner.deploy(artifact, ("address",), self._owner.sender)
        self._owner.transact(factory, "createPair(address,address)", token_in, token_out)
        pair = self._owner.call_address(factory, "getPair(address,address)(address)", token_in, token_out)
        self.deal(token_in, pair, _BAIT)
        self.deal(token_out, pair, 1)
        self._owner.transact(pair, "sync()")
        self._owner.transact(self.executor, "setListed(address[],bool)", [token_in], True)
        self._owner.flush()
        self._pairs[token_in, token_out] = pair

    def deal(self, token: Address, holder: Address, units: int) -> None:
        """Let somebody hold so much of a token."""
        self._chain.rpc.request("anvil_dealERC20", holder, token, hex(units))

    def held(self, token: Address, holder: Address) -> int:
        """What somebody holds."""
        return self._owner.call_integer(token, "balanceOf(address)(uint256)", holder)

    def plan(self, subject: Subject, case: Case) -> ExecutorPlan:
        """The case's swap by the step that its plug-in gives, then the pair."""
        step = subject.dex.step(case.state, case.token_in, case.token_out)
        back = UniswapV2Step(case.token_out, case.token_in, self.pair(case), _FEE_PIPS)
        return ExecutorPlan(Funding.OWN_CAPITAL, ZERO_ADDRESS, case.amount_in, 1, (1 << 64) - 1, (step, back))

    def pair(self, case: Case) -> Address:
        """The pair that closes a case."""
        return self._pairs[case.token_in, case.token_out]

    def equip(self, case: Case) -> None:
        """The input, and a unit of each token that stays: a balance that was never zero, as in use."""
        self.deal(case.token_in, self.executor, case.amount_in + 1)
        self.deal(case.token_out, self.executor, 1)


def tried(subject: Subject) -> Trial:
    """Execute a sample of quotes, each on the block that it was quoted for, and try what was refused."""
    with taken_back(subject.chain):
        closing = Closing(subject.chain)
        for token_in, token_out in sorted({way for state in read_states(subject) for way in directions(state)}):
            if ZERO_ADDRESS not in (token_in, token_out):
                closing.enter(token_in, token_out)
        states = read_states(subject)
        at = subject.chain.next_context()
        quotes = [(case, quote(subject, case, at)) for case in _sample(subject, states)]
        paid = [(case, out) for case, out in quotes if out and out < _UNITS_OUT_MAX][:EXECUTED]
        refused = [case for case, out in quotes if out is None][:REFUSED]
        executions = [_executed(subject, closing, case, out, at) for case, out in paid]
        landed = [case for case in refused if _lands(subject, closing, case, at)]
    return Trial(at, executions, len(refused), landed)


def _sample(subject: Subject, states: Sequence[PoolState]) -> list[Case]:
    """Cases that a plan and a pair can hold: no native coin, nothing beyond the closing pair."""
    drawn = draw_cases(subject, states, _DRAWN, SEED)
    return [c for c in drawn if c.amount_in < _UNITS_IN_MAX and ZERO_ADDRESS not in (c.token_in, c.token_out)]


def _executed(subject: Subject, closing: Closing, case: Case, quoted: int, at: BlockContext) -> Execution:
    with taken_back(subject.chain):
        closing.equip(case)
        subject.chain.rpc.request("evm_setNextBlockTimestamp", hex(at.timestamp))
        operator = Deployer(subject.chain.rpc, closing.operator)
        operator.transact(closing.executor, _EXECUTE, closing.plan(subject, case).encode())
        try:
            operator.flush()
        except DevnetError as error:
            raise AssertionError(f"{case}, quoted {quoted}: {error}") from error
        assert subject.chain.head().number == at.number
        paid = closing.held(case.token_out, closing.pair(case)) - 1
        kept = closing.held(case.token_in, closing.executor) - 1
        return Execution(case, quoted, paid, kept, operator.gas_used)


def _lands(subject: Subject, closing: Closing, case: Case, at: BlockContext) -> bool:
    with taken_back(subject.chain):
        closing.equip(case)
        data = encode_call(_EXECUTE, closing.plan(subject, case).encode())
        request = {"from": closing.operator, "to": closing.executor, "data": data}
        overrides = {"number": hex(at.number), "time": hex(at.timestamp)}
        (answer,) = subject.chain.rpc.attempt([Call("eth_call", (request, "latest", {}, overrides))])
        return not isinstance(answer, RpcFailure)


def bought_back(paid: int) -> int:
    """What the closing pair gives for a step's output, by the formula that the suite of v2 proves."""
    return constant_product.amount_out(1, _BAIT, _FEE_PIPS, paid)


@contextmanager
def taken_back(chain: NodeOnly) -> Iterator[None]:
    """Whatever is mined within is undone."""
    checkpoint = chain.rpc.request("evm_snapshot")
    try:
        yield
    finally:
        assert chain.rpc.request("evm_revert", checkpoint) is True
