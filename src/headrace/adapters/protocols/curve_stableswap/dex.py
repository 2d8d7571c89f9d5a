"""StableSwap pools behind the port."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.curve_stableswap import document as document_reading
from headrace.adapters.protocols.curve_stableswap import logs, proving, quoting, views
from headrace.adapters.protocols.curve_stableswap.reading import PoolReader
from headrace.adapters.protocols.curve_stableswap.state import PROTOCOL, CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.told import told_decimals
from headrace.adapters.protocols.curve_stableswap.ways import way_between
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.errors import UnansweredError
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.executor_step import CurveCall, CurveStep
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState, ToldDecimals

# guesses for ranking, measured nowhere; the rehearsal measures each plan
GAS_EXCHANGE = 150_000
GAS_LENDING = 250_000  # more with each share that is minted or redeemed; Compound's accrue interest first
GAS_UNDERLYING = 420_000  # a deposit into the base pool or a withdrawal besides


class CurveStableswap(FolderDEX[CurveStableswapState]):
    """Plain, lending, meta and NG pools; each takes the input first."""

    protocol_id = PROTOCOL

    def __init__(self) -> None:
        super().__init__(CurveStableswapState, logs, PoolReader(), quoting)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """True for a doubtful state, and after the block it was read at unless its logs tell everything."""
        return quoting.is_outdated(self._own(state), block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Recorded for pools of 3pool's kind and of RAI's metapool on it; all others are unproven."""
        return proving.proof_of(self._own(state))

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """Of the coins, or of what stands behind them."""
        return told_decimals(self._own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> CurveStableswapState:
        """The state that such a document describes, after the block `at`; `document.py` says what may be left out.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        return document_reading.read(pool, document, at)

    @property
    def views(self) -> Mapping[str, bool]:
        """The estimates of its two calls."""
        return MappingProxyType({"get_dy": False, "get_dy_underlying": False})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What the contract's own `get_dy` or `get_dy_underlying` answers, to compare with recordings of it.

        Raises:
            UnquotableError: the view would revert or swaps no such tokens, or the state must be read again.
        """
        own, (token_in, token_out) = self._own(state), way
        is_underlying = way_between(own, token_in, token_out).call is CurveCall.EXCHANGE_UNDERLYING
        if is_underlying != (call == "get_dy_underlying"):
            raise UnansweredError(own.pool.id, f"{call} does not know these tokens")
        quoting.refuse_outdated(own, at)
        return views.view_out(own, token_in, token_out, amount, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> CurveStep:
        """The typed step that the Executor walks.

        Raises:
            UnquotableError: no call swaps these tokens.
        """
        way = way_between(self._own(state), token_in, token_out)
        return CurveStep(token_in, token_out, state.pool.address, way.call, way.index_in, way.index_out)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """By the call alone.

        Raises:
            UnquotableError: no call swaps these tokens.
        """
        del amount_in
        own = self._own(state)
        if way_between(own, token_in, token_out).call is CurveCall.EXCHANGE_UNDERLYING:
            return GAS_UNDERLYING
        return GAS_LENDING if own.terms.underlying or own.compound else GAS_EXCHANGE
