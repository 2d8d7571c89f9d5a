"""Solidly behind the port."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document, to_document
from headrace.adapters.protocols.solidly import logs, quoting, reading
from headrace.adapters.protocols.solidly.state import (
    PROTOCOL,
    FeeSource,
    SolidlyState,
    SolidlyTerms,
    checked_state,
    has_recorded_terms,
)
from headrace.kernels.shape import Shape
from headrace.kernels.solidly import Root
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import SolidlyStep
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState, ToldDecimals

GAS_VOLATILE = 110_000  # the pair asks its factory twice and sends its fee away: about twice a v2 hop
# what a document may leave out; a pair without a factory is examined once more
_AERODROME: dict[str, JsonValue] = {
    "root": str(Root.VELODROME_V2.value),
    "factory": ZERO_ADDRESS,
    "fee_source": FeeSource.OF_PAIR.value,
    "is_paused": False,
}
GAS_STABLE = 180_000  # the curve is solved once by the quote and k computed twice by the swap


class Solidly:
    """Volatile and stable pairs of Solidly's family; implements `headrace.ports.pool.DEX`."""

    def __init__(self, fee_pips_by_venue: Mapping[str, int] | None = None) -> None:
        """Take the fee of venues whose pairs have it in their code; other pairs are asked for it."""
        self._fees = dict(fee_pips_by_venue or {})
        self._terms: dict[PoolId, SolidlyTerms] = {}

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """`Sync`, in two widths."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """A pair does call back before it is paid, but the Executor walks it only with the input in hand."""
        return False

    def pool_of(self, log: Log) -> PoolId:
        """The pair that emitted it."""
        return PoolId(log.address)

    def apply(self, state: PoolState, log: Log) -> SolidlyState:
        """The state after a log of this pair.

        Raises:
            MalformedLogError: the log is another pool's, no `Sync`, or not of its form.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """True after the block in which the factory was asked: it changes fees and pauses without a log of the pair."""
        return quoting.is_outdated(_own(state), block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Recorded for pairs that compute as those of Aerodrome whose quotes were recorded; all others are unproven."""
        return Proof.RECORDED if has_recorded_terms(_own(state).terms) else Proof.UNPROVEN

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pair's constants, and have it confirm that it computes as this protocol does.

        Raises:
            MalformedPoolError: the contract is no pair, or computes otherwise.
            ChainError: the node failed.
        """
        described = await reading.describe(chain, venue, pool, block)
        await self._examine(chain, [described], block)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[SolidlyState, ...]:
        """States after `block`, parallel to `pools`; pairs never seen before are examined first.

        Raises:
            MalformedPoolError: a contract is no pair, or computes otherwise.
            ChainError: the node failed.
        """
        await self._examine(chain, [pool for pool in pools if pool.id not in self._terms], block)
        return await reading.read(chain, [(pool, self._terms[pool.id]) for pool in pools], block)

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the scales, which a volatile pair does without."""
        own = _own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.scales, strict=True)) if own.terms.is_stable else ()
        return tuple(ToldDecimals(token, f"scales[{k}]", len(str(by)) - 1) for k, (token, by) in scaled)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Reserves, fee, pause and what the pair is."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> SolidlyState:
        """The state that such a document describes; what is left out is as in Aerodrome, after the block `at`.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        usual = dict(_AERODROME)
        if document.get("is_stable") is False:
            usual["scales"] = ["1", "1"]
        if at is not None:
            usual["read_at"] = str(at.number)
        state = checked_state(from_document(SolidlyState, pool, document, usual))
        if state.terms.factory != ZERO_ADDRESS:
            self._terms[pool.id] = state.terms
        return state

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pair pays for exactly `amount_in`, rounded down.

        Raises:
            UnquotableError: the pair would revert, or its fee is not known for that block.
        """
        return quoting.quote_out(_own(state), token_in, token_out, amount_in, at.number)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it, or the pair's fee is not known for that block.
        """
        return quoting.quote_in(_own(state), token_in, token_out, amount_out, at.number)

    @property
    def views(self) -> Mapping[str, bool]:
        """What a swap pays, but where it would pay nothing, or the pair would not take it."""
        return MappingProxyType({"getAmountOut": False})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What `getAmountOut` answers, to compare with recordings of it.

        Raises:
            UnquotableError: the view would revert, or the pair's fee is not known for that block.
        """
        del call
        return quoting.view_out(_own(state), *way, amount, at.number)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """Constant product, or the stable curve; nothing comes out of an empty or paused pair."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> SolidlyStep:
        """The typed step that the Executor walks."""
        return SolidlyStep(token_in, token_out, state.pool.address)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """By the kind of pair."""
        del token_in, token_out, amount_in
        return GAS_STABLE if _own(state).terms.is_stable else GAS_VOLATILE

    async def _examine(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> None:
        for pool in pools:
            self._terms[pool.id] = await reading.examine(chain, pool, self._fees.get(pool.venue), block)


def _own(state: PoolState) -> SolidlyState:
    assert isinstance(state, SolidlyState), type(state)
    return state
