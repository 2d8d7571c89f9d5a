"""A trade that pays by any amount of a token, executed by a real Executor on own capital or on a loan.

Two pairs of Uniswap v2, each of which gives twice what it gets, make a closed walk that is profitable at any size. The
same walk is mined twice from the same state, on capital that the node deals and on a loan, so what a loan costs, in
units and in gas, is the difference of two receipts in which no code of ours but the Executor takes part.
"""

from typing import NamedTuple

from tests.conformance.protocols.executed import taken_back
from tests.conformance.protocols.local_chain import LocalChain

from headrace.devnet.accounts import OPERATOR, OWNER, account_address
from headrace.devnet.artifacts import npm_artifact, own_artifact
from headrace.devnet.deployer import Deployer
from headrace.errors import DevnetError
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.executor_step import SwapStep, UniswapV2Step
from headrace.ports.flash_source import FlashSource

_FEE_PIPS = 3000
_DEPTH = 10**27
_NEVER = (1 << 64) - 1
_DUST = 1  # a balance that was never zero, as in use


class Landed(NamedTuple):
    """What a mined plan left in the Executor, and its gas."""

    profit: int
    gas_used: int


class Borrower:
    """An Executor, and two pairs: one gives two `other` for a `token`, one two `token` for an `other`."""

    def __init__(self, chain: LocalChain, token: Address, other: Address) -> None:
        self.chain = chain
        self.token = token
        self.other = other
        self._owner = Deployer(chain.rpc, account_address(OWNER))
        self._operator = account_address(OPERATOR)
        artifact, sender = own_artifact("Executor"), self._owner.sender
        self.executor = self._owner.deploy(artifact, ("address", "address"), sender, ZERO_ADDRESS)
        self._owner.transact(self.executor, "setOperator(address,bool)", self._operator, True)
        self._owner.transact(self.executor, "setListed(address[],bool)", [token], True)
        self.steps: tuple[SwapStep, SwapStep] = (
            UniswapV2Step(token, other, self._pair(_DEPTH, 2 * _DEPTH), _FEE_PIPS),
            UniswapV2Step(other, token, self._pair(2 * _DEPTH, _DEPTH), _FEE_PIPS),
        )
        for dealt in (token, other):
            self.deal(dealt, self.executor, _DUST)

    def on_own_capital(self, units: int, steps: tuple[SwapStep, ...] = ()) -> Landed:
        """The walk, or another, on capital, mined and taken back."""
        with taken_back(self.chain):
            self.deal(self.token, self.executor, units + _DUST)
            plan = ExecutorPlan(Funding.OWN_CAPITAL, ZERO_ADDRESS, units, 0, _NEVER, steps or self.steps)
            return self._mined(plan)

    def on_loan(self, source: FlashSource, units: int, steps: tuple[SwapStep, ...] = ()) -> Landed | None:
        """The walk, or another, on a loan, mined and taken back; None where it reverts."""
        with taken_back(self.chain):
            try:
                return self._mined(ExecutorPlan(source.funding, source.lender, units, 0, _NEVER, steps or self.steps))
            except DevnetError:
                return None

    def deal(self, token: Address, holder: Address, units: int) -> None:
        """Let somebody hold so much of a token."""
        self.chain.rpc.request("anvil_dealERC20", holder, token, hex(units))

    def held(self, token: Address, holder: Address) -> int:
        """What somebody holds."""
        return self._owner.call_integer(token, "balanceOf(address)(uint256)", holder)

    def refreshed(self, source: FlashSource) -> FlashSource:
        """The source, read on the head."""
        head = self.chain.head().hash
        self.chain.through_chain(lambda chain: source.refresh(chain, head))
        return source

    def _mined(self, plan: ExecutorPlan) -> Landed:
        before = self.held(self.token, self.executor)
        operator = Deployer(self.chain.rpc, self._operator)
        operator.transact(self.executor, "execute(bytes)", plan.encode())
        operator.flush()
        return Landed(self.held(self.token, self.executor) - before, operator.gas_used)

    def _pair(self, token_units: int, other_units: int) -> Address:
        """A pair of both tokens from a factory of its own."""
        factory = self._owner.deploy(
            npm_artifact("@uniswap/v2-core/build/UniswapV2Factory.json"), ("address",), self._owner.sender
        )
        self._owner.transact(factory, "createPair(address,address)", self.token, self.other)
        pair = self._owner.call_address(factory, "getPair(address,address)(address)", self.token, self.other)
        self.deal(self.token, pair, token_units)
        self.deal(self.other, pair, other_units)
        self._owner.transact(pair, "sync()")
        self._owner.flush()
        return pair
