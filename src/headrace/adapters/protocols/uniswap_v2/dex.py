"""Uniswap v2 behind the port."""

from collections.abc import Mapping, Sequence

from headrace.adapters.protocols.documents import from_document, to_document
from headrace.adapters.protocols.uniswap_v2 import logs, quoting, reading
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State, checked_pool, checked_state
from headrace.errors import ConfigError
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV2Step
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState

GAS_PER_HOP = 56_000  # a plan of three hops less one of two, by the contracts' gas snapshot: 55,600


class UniswapV2:
    """Pairs of Uniswap v2 and of forks that differ in nothing but their fee."""

    def __init__(self, fee_pips_by_venue: Mapping[str, int]) -> None:
        """Take each venue's fee: it stands in a pair's code and no call tells it."""
        self._fees = dict(fee_pips_by_venue)

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """`Sync` alone."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """A pair calls back before it is paid."""
        return True

    def pool_of(self, log: Log) -> PoolId:
        """The pair that emitted it."""
        return PoolId(log.address)

    def apply(self, state: PoolState, log: Log) -> UniswapV2State:
        """The state after a log of this pair.

        Raises:
            MalformedLogError: the log is another pool's, no `Sync`, or not of its form.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Never: its logs tell everything."""
        del state, block_number
        return False

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published pair's, and the same with the fee of a fork in it."""
        del state
        return Proof.BYTECODE

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pair's constants.

        Raises:
            ConfigError: no fee is configured for the venue.
            MalformedPoolError: the contract is no pair.
            ChainError: the node failed.
        """
        if venue not in self._fees:
            raise ConfigError(f"the fee of {venue!r} is not known: give its `fee_pips` (Uniswap v2 takes 3000)")
        return await reading.describe(chain, reading.Listing(venue, self._fees[venue]), pool, block)

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV2State, ...]:
        """States after `block`, parallel to `pools`.

        Raises:
            MalformedPoolError: a contract is no pair.
            ChainError: the node failed.
        """
        return await reading.read(chain, pools, block)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """The two reserves."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> UniswapV2State:
        """The state that such a document describes.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pair could store it.
        """
        del at  # its logs tell everything
        read = from_document(UniswapV2State, checked_pool(pool), document)
        return checked_state(pool, read.reserve0, read.reserve1)

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """Most that the pair gives for exactly `amount_in`, rounded down.

        Raises:
            UnquotableError: the pair would revert.
        """
        del at  # a pair knows no time
        return quoting.quote_out(_own(state), token_in, token_out, amount_in)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it.
        """
        del at  # a pair knows no time
        return quoting.quote_in(_own(state), token_in, token_out, amount_out)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """Constant product; nothing comes out of an empty pair."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV2Step:
        """The typed step that the Executor walks."""
        return UniswapV2Step(token_in, token_out, state.pool.address, state.pool.fee_pips)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """The same for every swap."""
        del state, token_in, token_out, amount_in
        return GAS_PER_HOP


def _own(state: PoolState) -> UniswapV2State:
    assert isinstance(state, UniswapV2State), type(state)
    return state
