"""CryptoSwap pools behind the port."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from headrace.adapters.protocols.curve_cryptoswap import logs, quoting
from headrace.adapters.protocols.curve_cryptoswap.reading import PoolReader
from headrace.adapters.protocols.curve_cryptoswap.state import PROTOCOL, CryptoSwapState, checked_state
from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.traded import indices
from headrace.errors import MalformedLogError
from headrace.kernels.cryptoswap import Generation
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import CurveCall, CurveStep
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState, ToldDecimals

_GAS_FIRST = 330_000  # the documented 250,000 to 400,000 of an `exchange`, with transfers and the approval
_DIGITS_MAX = 78  # of 2^256
_GAS_NEXT = 240_000  # the second generation solves in closed form and packs its storage

# What each arithmetic was compared with; see README.md for the pools, blocks and numbers.
PROOFS = {
    Generation.TRIPLE: Proof.RECORDED,
    Generation.PAIR: Proof.UNPROVEN,
    Generation.PAIR_GROUPED: Proof.RECORDED,
    Generation.TRIPLE_NG: Proof.RECORDED,
    Generation.PAIR_NG: Proof.RECORDED,
    Generation.PAIR_NG_WIDE: Proof.UNPROVEN,
}

_RESTING: dict[str, JsonValue] = {  # what a document may leave out
    "shares": ZERO_ADDRESS,
    "initial_time": "0",
    "future_time": "0",
    "supply": "0",
    "virtual_price": "0",
}


class CurveCryptoSwap(FolderDEX[CryptoSwapState]):
    """Tricrypto and twocrypto pools of both generations; what a pool is, it is asked. It takes the input first."""

    protocol_id = PROTOCOL

    def __init__(self) -> None:
        super().__init__(CryptoSwapState, logs, PoolReader(), quoting)

    def pool_of(self, log: Log) -> PoolId:
        """The emitter.

        Raises:
            MalformedLogError: the log has no topic, or one of no event of a pool.
        """
        if not log.topics or log.topics[0] not in logs.TOPICS:
            raise MalformedLogError(log.address, "topics", "the log is none that a pool emits")
        return PoolId(log.address)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """After a log that does not say all; and after every block for pools that change without logs."""
        return quoting.is_outdated(self._own(state), block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """What this pool's arithmetic was compared with; the fee since 2025 with nothing."""
        terms = self._own(state).terms
        return Proof.UNPROVEN if terms.has_curved_fee else PROOFS[terms.generation]

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the precisions."""
        own = self._own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.precisions, strict=True))
        return tuple(ToldDecimals(token, f"precisions[{k}]", 19 - len(str(by))) for k, (token, by) in scaled)

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> CryptoSwapState:
        """The state that such a document describes; what is left out is as in a pool that rests, after the block `at`.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        state = from_document(CryptoSwapState, pool, document, _RESTING | _standing(document))
        if at is not None and "stale_from" not in document:
            state = _read_after(state, at)
        return checked_state(state)

    @property
    def views(self) -> Mapping[str, bool]:
        """What a swap pays, but for a swap that would be a loss to the pool."""
        return MappingProxyType({"get_dy": False})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What `get_dy` answers, to compare with recordings of it; killed pools answer too.

        Raises:
            UnquotableError: the view would revert, or the state must be read first.
        """
        del call
        own = msgspec.structs.replace(self._own(state), virtual_price=0, is_killed=False)
        return quoting.quote_out(own, *way, amount, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> CurveStep:
        """The typed step that the Executor walks: `exchange` with unsigned indices, in every generation."""
        index_in, index_out = indices(state.pool, token_in, token_out)
        return CurveStep(token_in, token_out, state.pool.address, CurveCall.EXCHANGE_UINT256, index_in, index_out)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """By generation; moving the price scale, which nobody can foresee, is not in it."""
        del token_in, token_out, amount_in
        return _GAS_NEXT if self._own(state).terms.generation.is_next else _GAS_FIRST


def _standing(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A and gamma that go nowhere, where their start is left out; what is no number is named by its own field."""
    ends = {name: str(document.get(f"future_{name}")) for name in ("ann", "gamma")}
    return {
        f"initial_{name}": end if end.isdecimal() and len(end) <= _DIGITS_MAX else "1" for name, end in ends.items()
    }


def _read_after(state: CryptoSwapState, at: BlockContext) -> CryptoSwapState:
    """The state as `read` would mark it after that block."""
    is_ramping = state.ramp.future_time > at.timestamp
    return msgspec.structs.replace(
        state,
        stale_from=None if state.terms.is_told_by_logs and not is_ramping else at.number + 1,
        ramp_read_at=at.timestamp if is_ramping else 0,
    )
