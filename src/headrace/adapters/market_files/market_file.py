"""What a market file holds, once read."""

from collections.abc import Mapping

import msgspec

from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, ChainId, PoolId
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.model.snapshot import Snapshot
from headrace.model.token import Token
from headrace.ports.oracle import Price
from headrace.ports.pool import PoolState

_SHOWN_DIGITS = 10


class LeftOut(msgspec.Struct, frozen=True):
    """A line that is not used, and why; `pool` is empty where the line is of none.

    Where `log` is told, it is that log of the line's block alone (from 0), and its pool until it is read again.
    """

    line: int
    pool: str
    field: str
    why: str
    log: int | None = None

    def __str__(self) -> str:
        """For people."""
        place = "" if self.log is None else f", log {self.log},"
        return f"line {self.line}{place} is left out: {self.why}"


class Misplaced(msgspec.Struct, frozen=True):
    """A block's line that does not follow from the one before it: see `block_order`."""

    line: int
    number: int
    why: str

    def __str__(self) -> str:
        """For people."""
        return f"line {self.line}: block {self.number}: {self.why}"


class SwapCase(msgspec.Struct, frozen=True):
    """A swap and what the chain says of it.

    `amount` is exact input, or exact output where `is_exact_output`; `expected` is the other one, None for a revert.
    `call` is the contract's view that said so; empty for the swap itself. `blocks_before` of the file's blocks stand
    before it, and it is asked on the state after them. With `price_limit_x96` the pool fills what it can up to that
    price: `filled` is how much of `amount` that is, where it is told.
    """

    line: int
    pool: PoolId
    token_in: Address
    token_out: Address
    amount: int
    expected: int | None
    is_exact_output: bool
    at: BlockContext
    call: str = ""
    blocks_before: int = 0
    price_limit_x96: int | None = None
    filled: int | None = None


class StateCase(msgspec.Struct, frozen=True):
    """What a pool's state is expected to be in block `number`, after `blocks_before` of the file's blocks."""

    line: int
    pool: PoolId
    document: RawDocument
    number: int
    blocks_before: int


class TokenPrice(msgspec.Struct, frozen=True):
    """What the oracle said of a token."""

    token: Address
    price: Price


class RecordedBlock(msgspec.Struct, frozen=True):
    """A block as it was applied, or a piece of one; `states` and `prices` were read after it; `line` is its own."""

    header: BlockHeader
    logs: tuple[Log, ...]
    states: tuple[PoolState, ...] = ()
    prices: tuple[TokenPrice, ...] = ()
    line: int = 0


class MarketFile(msgspec.Struct, frozen=True):
    """A market at the header's block, and what came after it.

    Attributes:
        states: in the order of the file.
        as_of: for states that are only known to hold after an earlier block than the header's, that block's number.
        state_cases: states that a pool is expected to be in, between the swaps.
        prices: as of the header.
        disorder: blocks that cannot follow the one before them.
        gaps: blocks before which others are missing.
        has_end: whether its last line says that it is whole.
    """

    name: str
    chain_id: ChainId
    header: BlockHeader
    source: str
    tokens: Mapping[Address, Token]
    states: tuple[PoolState, ...]
    as_of: Mapping[PoolId, int]
    swaps: tuple[SwapCase, ...]
    blocks: tuple[RecordedBlock, ...]
    prices: tuple[TokenPrice, ...]
    left_out: tuple[LeftOut, ...]
    state_cases: tuple[StateCase, ...] = ()
    disorder: tuple[Misplaced, ...] = ()
    gaps: tuple[Misplaced, ...] = ()
    has_end: bool = False

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The pools, parallel to `states`."""
        return tuple(state.pool for state in self.states)

    @property
    def context(self) -> BlockContext:
        """The header's own block, in which a node's call on these states is made."""
        at = self.header
        return BlockContext(at.number, at.timestamp, at.base_fee_wei, at.coinbase)

    def snapshot(self) -> Snapshot[PoolState]:
        """The market at the header's block, for the line; every pool counts as changed."""
        return Snapshot(
            header=self.header,
            announced_ns=0,
            pools=self.pools,
            states=self.states,
            index_of={state.pool.id: at for at, state in enumerate(self.states)},
            tokens=self.tokens,
            changed=tuple(range(len(self.states))),
            as_of={at: self.as_of[pool.id] for at, pool in enumerate(self.pools) if pool.id in self.as_of},
        )


def token_without_line(chain_id: ChainId, address: Address) -> Token:
    """A token of which nothing is known: amounts of it are in its smallest unit."""
    return Token(chain_id, address, address[:_SHOWN_DIGITS], 0)
