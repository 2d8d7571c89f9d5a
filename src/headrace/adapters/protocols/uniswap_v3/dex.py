"""Uniswap v3 behind the port."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.adapters.protocols.uniswap_v3 import logs, quoting, reading
from headrace.adapters.protocols.uniswap_v3.state import PROTOCOL, UniswapV3State, checked_pool, checked_state
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV3Step
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState


class UniswapV3(FolderDEX[UniswapV3State]):
    """Pools of Uniswap v3 core 1.0.1, of PancakeSwap v3, and of forks with the same contracts."""

    protocol_id = PROTOCOL
    supports_flash_swap = True  # a pool pays out before it calls back for its input

    def __init__(self) -> None:
        super().__init__(UniswapV3State, logs, reading, quoting)

    def pool_of(self, log: Log) -> PoolId:
        """The address that speaks.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        return logs.pool_of(log)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published core's, and PancakeSwap v3's."""
        del state
        return Proof.BYTECODE

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> UniswapV3State:
        """The state that such a document describes; `tick` and `liquidity` follow from price and ticks if left out.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        del at  # its logs tell everything
        return checked_state(from_document(UniswapV3State, checked_pool(pool), document))

    @property
    def views(self) -> Mapping[str, bool]:
        """QuoterV2's: they also answer for a swap that the pool fills in part."""
        return MappingProxyType({"quoteExactInputSingle": False, "quoteExactOutputSingle": True})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What QuoterV2 answers, with the widest price limit, to compare with recordings of it.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the ticks known of do not reach so far.
        """
        del at  # as a quote
        own, is_exact_output = self._own(state), self.views[call]
        limit = extreme_limit(zero_for_one=is_zero_for_one(own.pool, *way))
        done = quoting.filled(own, LimitedSwap(*way, amount, limit, is_exact_output))
        return done.amount_in if is_exact_output else done.amount_out

    def filled(self, state: PoolState, swap: LimitedSwap) -> FilledSwap:
        """What the pool's `swap` takes and pays up to its price limit.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, a limit that the price has passed or that is out
                of bounds, or the ticks known of do not reach so far.
        """
        return quoting.filled(self._own(state), swap)

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the pool's exact-output swap takes for `amount_out`: it walks a piece to its end that pays just that.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
        """
        return quoting.asked_in(self._own(state), token_in, token_out, amount_out, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV3Step:
        """The Executor's step.

        Raises:
            UnquotableError: not the pool's tokens.
        """
        is_zero_for_one(state.pool, token_in, token_out)
        return UniswapV3Step(token_in, token_out, state.pool.address)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
        return quoting.gas(self._own(state), token_in, token_out, amount_in)
