"""Balancer v2 stable pools behind the port."""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.adapters.protocols.balancer_v2_stable import logs, quoting, reading
from headrace.adapters.protocols.balancer_v2_stable.state import PROTOCOL, BalancerV2StableState, ReadAt, checked_state
from headrace.adapters.protocols.balancer_v2_vault.registry import Registry
from headrace.adapters.protocols.documents import from_document, to_document
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import BalancerV2Step
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState, ToldDecimals

_GAS = 125_000  # with the exact approval; estimated on the nine pools of the conformance suite, 123,000 to 172,000
_GAS_PER_TOKEN = 12_000  # beyond two
_GAS_PER_RATE = 15_000
_USUAL: dict[str, JsonValue] = {  # what a document may leave out
    "rounds_up": False,
    "renews_late": False,
    "pause_ends_at": "0",
    "vault_pause_ends_at": "0",
    "is_paused": False,
    "is_vault_paused": False,
}


class BalancerV2Stable:
    """Stable pools of any vault; the vault is found through the pool."""

    def __init__(self) -> None:
        self._registry = Registry()

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Three logs of the vault; fee, pause, amplification and rates of the pool."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """The vault takes the input first; its flash loan is a funding of its own."""
        return False

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of; a stranger's log speaks of the stranger.

        Raises:
            MalformedLogError: a vault's log without the id where it belongs.
            MarketStaleError: the vault itself was paused or resumed, which concerns all its pools.
        """
        return self._registry.pool_of(log)

    def apply(self, state: PoolState, log: Log) -> BalancerV2StableState:
        """The state after a log of this pool.

        Raises:
            MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Whether a rate's cache may have run out, or a log said that it was filled, or amplification moves unseen."""
        return _own(state).is_outdated(block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode for the first invariant; recorded for the later one, whose newest pools publish no code."""
        return Proof.BYTECODE if _own(state).terms.rounds_up else Proof.RECORDED

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants and know its logs from now on.

        Raises:
            MalformedPoolError: the id is none, or the contract is no stable pool.
            ChainError: the node failed.
        """
        described = await reading.describe(chain, venue, pool, block)
        self._registry.enter(described)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV2StableState, ...]:
        """States after `block`, parallel to `pools`, whose logs are known from now on.

        Raises:
            MalformedPoolError: a pool's state cannot be a stable pool's.
            ChainError: the node failed.
        """
        states = await reading.read(chain, pools, block)
        for pool in pools:
            self._registry.enter(pool)
        return states

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the scalings."""
        own = _own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.scalings, strict=True))
        return tuple(ToldDecimals(token, f"scalings[{k}]", 37 - len(str(by))) for k, (token, by) in scaled)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Balances, amplification, rates, fee, pauses and what the pool is."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> BalancerV2StableState:
        """The state that such a document describes; its logs are known from now on.

        What is left out is as in a composable pool without rates that nobody manages or paused, after the block `at`.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        count = len(pool.tokens)
        state = from_document(
            BalancerV2StableState, pool, document, _USUAL | {"managed": ["0"] * count, "rates": [None] * count}
        )
        if at is not None and "read_at" not in document and (state.amplification is None or any(state.rates)):
            state = msgspec.structs.replace(state, read_at=ReadAt(at.number, at.timestamp))
        checked_state(state)
        self._registry.enter(state.pool)
        return state

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool gives for exactly `amount_in`, rounded down.

        Raises:
            UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
        """
        return quoting.quote_out(_own(state), token_in, token_out, amount_in, at)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it, or the state does not tell what holds in that block.
        """
        return quoting.quote_in(_own(state), token_in, token_out, amount_out, at)

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the vault takes for exactly `amount_out` (GIVEN_OUT); it may differ from `quote_in` by roundings.

        Raises:
            UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
        """
        return quoting.asked_in(_own(state), token_in, token_out, amount_out, at)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """Stable curve; nothing comes out of an empty or paused pool."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV2Step:
        """The typed step that the Executor walks."""
        return BalancerV2Step(token_in, token_out, state.pool.address, state.pool.id)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """More for every token and every rate of the pool."""
        del token_in, token_out, amount_in
        own = _own(state)
        rates = sum(rate is not None for rate in own.rates)
        return _GAS + _GAS_PER_TOKEN * (len(own.pool.tokens) - 2) + _GAS_PER_RATE * rates


def _own(state: PoolState) -> BalancerV2StableState:
    assert isinstance(state, BalancerV2StableState), type(state)
    return state
