"""StableSwap pools behind the port."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from headrace.adapters.protocols.curve_stableswap import document as document_reading
from headrace.adapters.protocols.curve_stableswap import logs, proving, quoting, reading, views
from headrace.adapters.protocols.curve_stableswap.access import Access
from headrace.adapters.protocols.curve_stableswap.state import PROTOCOL, CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.told import told_decimals
from headrace.adapters.protocols.curve_stableswap.ways import way_between
from headrace.adapters.protocols.documents import to_document
from headrace.errors import UnansweredError
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import CurveCall, CurveStep
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState, ToldDecimals

# guesses for ranking, measured nowhere; the rehearsal measures each plan
GAS_EXCHANGE = 150_000
GAS_LENDING = 250_000  # more with each share that is minted or redeemed; Compound's accrue interest first
GAS_UNDERLYING = 420_000  # a deposit into the base pool or a withdrawal besides


class CurveStableswap:
    """Plain, lending, meta and NG pools."""

    def __init__(self) -> None:
        self._known: dict[PoolId, Access] = {}

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Swaps, liquidity of two to eight coins, fees and A, in all their forms."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """The pool takes the input first."""
        return False

    def pool_of(self, log: Log) -> PoolId:
        """A pool's logs are its own contract's."""
        return PoolId(log.address)

    def apply(self, state: PoolState, log: Log) -> CurveStableswapState:
        """The state after a log of this pool; outdated at every block where the log does not tell it.

        Raises:
            MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """True for a doubtful state, and after the block it was read at unless its logs tell everything."""
        return quoting.is_outdated(_own(state), block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Recorded for pools of 3pool's kind and of RAI's metapool on it; all others are unproven."""
        return proving.proof_of(_own(state))

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Find out what kind of pool it is, and know how to read it from now on.

        Raises:
            MalformedPoolError: it is no StableSwap pool, or of a kind that cannot be told or paid.
            ChainError: the node failed.
        """
        access = await reading.describe(chain, venue, pool, block)
        self._known[pool] = access
        return access.pool

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[CurveStableswapState, ...]:
        """States after `block`, parallel to `pools`; a pool that was not described yet is described first.

        Raises:
            MalformedPoolError: a pool's state cannot be a StableSwap pool's.
            ChainError: the node failed.
        """
        for pool in pools:
            if pool.id not in self._known:
                await self.describe(chain, pool.venue, pool.id, block)
        accesses = [msgspec.structs.replace(self._known[pool.id], pool=pool) for pool in pools]
        return await reading.read(chain, accesses, block)

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """Of the coins, or of what stands behind them."""
        own = _own(state)
        return told_decimals(own)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Balances, rates, A, fees and what the pool is; a metapool with its base pool."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> CurveStableswapState:
        """The state that such a document describes, after the block `at`; `document.py` says what may be left out.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        return document_reading.read(pool, document, at)

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool pays for exactly `amount_in`, rounded down; may be 0.

        Raises:
            UnquotableError: the contract would revert, no call swaps these tokens, or the state must be read again.
        """
        return quoting.quote_out(_own(state), token_in, token_out, amount_in, at)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it, no call swaps these tokens, or the state must be read again.
        """
        return quoting.quote_in(_own(state), token_in, token_out, amount_out, at)

    @property
    def views(self) -> Mapping[str, bool]:
        """The estimates of its two calls."""
        return MappingProxyType({"get_dy": False, "get_dy_underlying": False})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What the contract's own `get_dy` or `get_dy_underlying` answers, to compare with recordings of it.

        Raises:
            UnquotableError: the view would revert or swaps no such tokens, or the state must be read again.
        """
        own, (token_in, token_out) = _own(state), way
        is_underlying = way_between(own, token_in, token_out).call is CurveCall.EXCHANGE_UNDERLYING
        if is_underlying != (call == "get_dy_underlying"):
            raise UnansweredError(own.pool.id, f"{call} does not know these tokens")
        quoting.refuse_outdated(own, at)
        return views.view_out(own, token_in, token_out, amount, at)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """The stable curve; nothing comes out where no single curve stands for the swap.

        Raises:
            UnquotableError: a token is not the pool's.
        """
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> CurveStep:
        """The typed step that the Executor walks.

        Raises:
            UnquotableError: no call swaps these tokens.
        """
        way = way_between(_own(state), token_in, token_out)
        return CurveStep(token_in, token_out, state.pool.address, way.call, way.index_in, way.index_out)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """By the call alone.

        Raises:
            UnquotableError: no call swaps these tokens.
        """
        del amount_in
        own = _own(state)
        if way_between(own, token_in, token_out).call is CurveCall.EXCHANGE_UNDERLYING:
            return GAS_UNDERLYING
        return GAS_LENDING if own.terms.underlying or own.compound else GAS_EXCHANGE


def _own(state: PoolState) -> CurveStableswapState:
    assert isinstance(state, CurveStableswapState), type(state)
    return state
