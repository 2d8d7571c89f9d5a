"""Balancer v2 weighted pools behind the port."""

from collections.abc import Mapping, Sequence

from headrace.adapters.protocols.balancer_v2 import logs, quoting, reading
from headrace.adapters.protocols.balancer_v2.state import PROTOCOL, BalancerV2State, checked_state
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
from headrace.ports.pool import PoolState

UNPAUSED: dict[str, JsonValue] = {  # what a document may leave out
    "has_shortcuts": True,
    "pause_ends_at": "0",
    "vault_pause_ends_at": "0",
    "is_paused": False,
    "is_vault_paused": False,
}
GAS_PER_HOP = 95_000  # the vault's swap takes 76,000 to 79,000 (estimated on 8 pools), the exact approval the rest


class BalancerV2:
    """Weighted pools of any vault; the vault is found through the pool."""

    def __init__(self) -> None:
        self._registry = Registry()

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Three logs of the vault, two of the pool."""
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

    def apply(self, state: PoolState, log: Log) -> BalancerV2State:
        """The state after a log of this pool.

        Raises:
            MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Never: its logs tell everything."""
        del state, block_number
        return False

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published vault's and weighted pools'."""
        del state
        return Proof.BYTECODE

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants and know its logs from now on.

        Raises:
            MalformedPoolError: the id is none, or the contract is no weighted pool.
            ChainError: the node failed.
        """
        described = await reading.describe(chain, venue, pool, block)
        self._registry.enter(described)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV2State, ...]:
        """States after `block`, parallel to `pools`, whose logs are known from now on.

        Raises:
            MalformedPoolError: a pool's state cannot be a weighted pool's.
            ChainError: the node failed.
        """
        states = await reading.read(chain, pools, block)
        for pool in pools:
            self._registry.enter(pool)
        return states

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Weights, balances, fee and pauses."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> BalancerV2State:
        """The state that such a document describes; what is left out is as in a pool that nobody manages or paused.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        del at  # its logs tell everything
        unmanaged: list[JsonValue] = ["0"] * len(pool.tokens)
        state = from_document(BalancerV2State, pool, document, UNPAUSED | {"managed": unmanaged})
        self._registry.enter(checked_state(state).pool)
        return state

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool gives for exactly `amount_in`, rounded down; 0 for an input too small to count.

        Raises:
            UnquotableError: vault or pool would revert.
        """
        return quoting.quote_out(_own(state), token_in, token_out, amount_in, at.timestamp)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it.
        """
        return quoting.quote_in(_own(state), token_in, token_out, amount_out, at.timestamp)

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the vault takes for exactly `amount_out` (GIVEN_OUT).

        Raises:
            UnquotableError: vault or pool would revert.
        """
        return quoting.asked_in(_own(state), token_in, token_out, amount_out, at.timestamp)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """Weighted product; nothing comes out of an empty or paused pool."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV2Step:
        """The typed step that the Executor walks."""
        return BalancerV2Step(token_in, token_out, state.pool.address, state.pool.id)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """The same for every swap."""
        del state, token_in, token_out, amount_in
        return GAS_PER_HOP


def _own(state: PoolState) -> BalancerV2State:
    assert isinstance(state, BalancerV2State), type(state)
    return state
