"""Uniswap v2 behind the port."""

from collections.abc import Mapping, Sequence

from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.uniswap_v2 import logs, quoting
from headrace.adapters.protocols.uniswap_v2.reading import PairReader
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State, checked_pool, checked_state
from headrace.kernels.log_table import IntArray, LogTable
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.executor_step import UniswapV2Step
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState

GAS_PER_HOP = 56_000  # a plan of three hops less one of two, by the contracts' gas snapshot: 55,600


class UniswapV2(FolderDEX[UniswapV2State]):
    """Pairs of Uniswap v2 and of forks that differ in nothing but their fee."""

    protocol_id = PROTOCOL
    supports_flash_swap = True  # a pair calls back before it is paid

    def __init__(self, fee_pips_by_venue: Mapping[str, int]) -> None:
        """Take each venue's fee: it stands in a pair's code and no call tells it."""
        super().__init__(UniswapV2State, logs, PairReader(fee_pips_by_venue), quoting)

    @property
    def whole_topic(self) -> Hash32:
        """`Sync`, which says both reserves."""
        return logs.SYNC

    def states_told(self, pools: Sequence[Pool], table: LogTable, rows: IntArray) -> list[PoolState | None]:
        """What the `Sync` of each row tells of the pair beside it; None where `apply` has to judge it."""
        return logs.states_told(pools, table, rows)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published pair's, and the same with the fee of a fork in it."""
        del state
        return Proof.BYTECODE

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

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV2Step:
        """The typed step that the Executor walks."""
        return UniswapV2Step(token_in, token_out, state.pool.address, state.pool.fee_pips)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """The same for every swap."""
        del state, token_in, token_out, amount_in
        return GAS_PER_HOP
