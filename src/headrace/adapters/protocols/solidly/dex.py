"""Solidly behind the port."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.solidly import logs, quoting
from headrace.adapters.protocols.solidly.reading import PairReader
from headrace.adapters.protocols.solidly.state import (
    PROTOCOL,
    FeeSource,
    SolidlyState,
    checked_state,
    has_recorded_terms,
)
from headrace.kernels.solidly import Root
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.executor_step import SolidlyStep
from headrace.model.pool import Pool
from headrace.model.proof import Proof
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


class Solidly(FolderDEX[SolidlyState]):
    """Volatile and stable pairs of Solidly's family.

    A pair does call back before it is paid, but the Executor walks it only with the input in hand: none funds a plan.
    """

    protocol_id = PROTOCOL

    def __init__(self, fee_pips_by_venue: Mapping[str, int] | None = None) -> None:
        """Take the fee of venues whose pairs have it in their code; other pairs are asked for it."""
        self._reader = PairReader(fee_pips_by_venue or {})
        super().__init__(SolidlyState, logs, self._reader, quoting)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """True after the block in which the factory was asked: it changes fees and pauses without a log of the pair."""
        return quoting.is_outdated(self._own(state), block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Recorded for pairs that compute as those of Aerodrome whose quotes were recorded; all others are unproven."""
        return Proof.RECORDED if has_recorded_terms(self._own(state).terms) else Proof.UNPROVEN

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the scales, which a volatile pair does without."""
        own = self._own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.scales, strict=True)) if own.terms.is_stable else ()
        return tuple(ToldDecimals(token, f"scales[{k}]", len(str(by)) - 1) for k, (token, by) in scaled)

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
            self._reader.know(pool.id, state.terms)
        return state

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
        return quoting.view_out(self._own(state), *way, amount, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> SolidlyStep:
        """The typed step that the Executor walks."""
        return SolidlyStep(token_in, token_out, state.pool.address)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """By the kind of pair."""
        del token_in, token_out, amount_in
        return GAS_STABLE if self._own(state).terms.is_stable else GAS_VOLATILE
