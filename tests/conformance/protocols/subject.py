"""What a protocol brings to the conformance suite: its plug-in, its pools on a chain, how to ask the bytecode."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from tests.conformance.protocols.local_chain import LocalChain

from headrace.errors import UnquotableError
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import DEX, PoolState

Amount = int


class Case(NamedTuple):
    """One swap to be quoted."""

    state: PoolState
    token_in: Address
    token_out: Address
    amount_in: Amount


class Subject(Protocol):
    """A protocol under test, on a chain of its own."""

    @property
    def chain(self) -> LocalChain:
        """Where the pools are."""
        ...

    @property
    def dex(self) -> DEX:
        """The plug-in."""
        ...

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The pools, described."""
        ...

    @property
    def no_pool(self) -> str:
        """Something with code that is no pool, in the form of the protocol's ids."""
        ...

    def reserve(self, state: PoolState, token: Address) -> int:
        """Raw units of a token in a pool: amounts are drawn around it."""
        ...

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        """What the deployed bytecode pays on the chain's head, None where it reverts; none of our code takes part."""
        ...

    def slack_units(self, case: Case) -> float:
        """How much a float may differ beside 1e-9 of the output: roundings of the contract in units of the output."""
        ...

    def act(self, draw: random.Random) -> str:
        """Queue one random transaction that changes a pool; answers its kind."""
        ...

    @property
    def action_minima(self) -> Mapping[str, int]:
        """How often each kind must come up among 240 actions."""
        ...

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        """Planted faults, each as a context in which the plug-in is wrong."""
        ...

    def broken(self, log: Log) -> Iterator[Log]:
        """Logs that are not what `log`, which is well formed, is."""
        ...


def read_states(subject: Subject) -> tuple[PoolState, ...]:
    """States of all pools after the chain's head, read from the contracts."""
    block = subject.chain.head().hash
    return subject.chain.through_chain(lambda chain: subject.dex.read(chain, subject.pools, block))


def quote(subject: Subject, case: Case, at: BlockContext) -> int | None:
    """Our quote, None for a refusal."""
    try:
        return subject.dex.quote_out(case.state, case.token_in, case.token_out, case.amount_in, at)
    except UnquotableError:
        return None


def directions(state: PoolState) -> list[tuple[Address, Address]]:
    """Every ordered pair of the pool's tokens."""
    return [(a, b) for a in state.pool.tokens for b in state.pool.tokens if a != b]


def draw_cases(subject: Subject, states: Sequence[PoolState], count: int, seed: int) -> list[Case]:
    """Swaps over all pools and directions in turn; amounts log-uniform from one unit to a hundred times the pool."""
    draw = random.Random(seed)
    ways = [(state, *way) for state in states for way in directions(state)]
    cases = []
    for i in range(count):
        state, token_in, token_out = ways[i % len(ways)]
        most = 100 * max(subject.reserve(state, token_in), 10**6)
        amount = int(10 ** draw.uniform(0, len(str(most)) - 1))
        cases.append(Case(state, token_in, token_out, amount))
    return cases
