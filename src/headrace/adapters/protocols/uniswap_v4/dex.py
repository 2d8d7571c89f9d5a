"""Uniswap v4 behind the port."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.adapters.protocols.uniswap_v4 import logs, quoting
from headrace.adapters.protocols.uniswap_v4.key import NATIVE, PoolKey
from headrace.adapters.protocols.uniswap_v4.keyring import Keyring, UniswapV4Venue
from headrace.adapters.protocols.uniswap_v4.reading import PoolReader
from headrace.adapters.protocols.uniswap_v4.state import PROTOCOL, UniswapV4State, checked_state
from headrace.errors import UnexecutableError
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV4Step
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState

_NO_VENUES: Mapping[str, UniswapV4Venue] = MappingProxyType({})
_NEITHER: Mapping[str, JsonValue] = MappingProxyType({"hooks": NATIVE, "protocol_fee": ["0", "0"]})


class UniswapV4(FolderDEX[UniswapV4State]):
    """Pools of Uniswap v4 core 1.0.2 that no hook can interfere with.

    The manager would let amounts be owed until its lock ends, but the Executor settles each step at once: no pool
    funds a plan.
    """

    protocol_id = PROTOCOL

    def __init__(self, venues: Mapping[str, UniswapV4Venue] = _NO_VENUES) -> None:
        """Know where each venue's pools are, by the venue's name in the configuration; `describe` needs that alone."""
        self._keyring = Keyring(venues)
        super().__init__(UniswapV4State, logs, PoolReader(self._keyring), quoting, self._keyring)

    def learn(self, log: Log) -> PoolId:
        """Know a pool's key from its Initialize log, so that it can be described; answers its id.

        Raises:
            MalformedLogError: it is no Initialize log of a manager that is known, or its parts do not hash to its id.
        """
        key = logs.key_of(log)
        self._keyring.require_manager(log)
        return self.learn_key(key)

    def learn_key(self, key: PoolKey) -> PoolId:
        """Know a pool's key, wherever it was kept; answers the pool's id."""
        self._keyring.learn(key)
        return key.id

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published manager's."""
        del state
        return Proof.BYTECODE

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> UniswapV4State:
        """The state that such a document describes; its logs are known from now on.

        `tick` and `liquidity` follow from price and ticks if left out; no hooks and no protocol fee if those are.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool of that id could store it.
        """
        del at  # its logs tell everything
        state = checked_state(from_document(UniswapV4State, pool, document, _NEITHER))
        self._keyring.learn(state.key)
        self._keyring.enter(pool)
        return state

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the pool's exact-output swap takes for `amount_out`: it walks a piece to its end that pays just that.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
        """
        del at  # a quote depends on no time
        return quoting.asked_in(self._own(state), token_in, token_out, amount_out)

    def filled(self, state: PoolState, swap: LimitedSwap) -> FilledSwap:
        """What the pool's `swap` takes and pays up to its price limit.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, a limit that the price has passed or that is out
                of bounds.
        """
        return quoting.filled(self._own(state), swap)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV4Step:
        """The Executor's step.

        Raises:
            UnexecutableError: the pool trades the native currency, which the Executor neither holds nor pays.
            UnquotableError: not the pool's tokens.
        """
        own = self._own(state)
        is_zero_for_one(own.pool, token_in, token_out)
        if NATIVE in own.pool.tokens:
            raise UnexecutableError(own.pool.id, "it trades the native currency, which the Executor does not pay yet")
        manager, fee_pips, tick_spacing = own.pool.address, own.pool.fee_pips, own.table.tick_spacing
        return UniswapV4Step(token_in, token_out, manager, fee_pips, tick_spacing, own.hooks)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
        return quoting.gas(self._own(state), token_in, token_out, amount_in)
