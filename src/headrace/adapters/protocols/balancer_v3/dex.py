"""Balancer v3 pools behind the port."""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.adapters.protocols.balancer_v3 import logs, quoting, reading
from headrace.adapters.protocols.balancer_v3.registry import Registry
from headrace.adapters.protocols.balancer_v3.state import (
    PROTOCOL,
    BalancerV3State,
    StableTerms,
    WeightedTerms,
    checked_state,
    pool_contract,
)
from headrace.adapters.protocols.documents import from_document, to_document
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import BalancerV3Step
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState, ToldDecimals

# estimated on the nine pools of the conformance suite: 183,000 to 231,000 through the router, transaction included
_GAS = 140_000
_GAS_PER_TOKEN = 10_000
_GAS_PER_RATE = 6_000
_USUAL: dict[str, JsonValue] = {  # what a document may leave out
    "trade_min": "1000000",  # of Ethereum's vault
    "pause_ends_at": "0",
    "vault_pause_ends_at": "0",
    "aggregate_fee": "0",
    "is_initialized": True,
    "is_paused": False,
    "is_vault_paused": False,
    "is_recovering": False,
}
_GAS_STABLE = 16_000


class BalancerV3:
    """Weighted and stable pools of any vault; the vault is found through the pool."""

    def __init__(self) -> None:
        self._registry = Registry()

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Logs of the vault, and of a stable pool's amplification."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """A plan is not funded by its vault here, though that settles at the end."""
        return False

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of; a stranger's log speaks of the stranger.

        Raises:
            MalformedLogError: a vault's log without the pool where it belongs.
            MarketStaleError: the vault itself was paused or resumed, which concerns all its pools.
        """
        return self._registry.pool_of(log)

    def apply(self, state: PoolState, log: Log) -> BalancerV3State:
        """The state after a log of this pool.

        Raises:
            MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
        """
        return logs.apply(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Whether rates may have changed: at every block, where a token has one."""
        return _own(state).is_outdated(block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode for weighted pools with least balances; recorded for the others, of which some are older than it."""
        curve = _own(state).curve
        return Proof.BYTECODE if isinstance(curve, WeightedTerms) and curve.minima is not None else Proof.RECORDED

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants and know its logs from now on.

        Raises:
            MalformedPoolError: the id is none, the contract no pool that is quoted here, or hooks may act on its swaps.
            ChainError: the node failed.
        """
        described = await reading.describe(chain, venue, pool, block)
        self._registry.enter(described)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV3State, ...]:
        """States after `block`, parallel to `pools`, whose logs are known from now on.

        Raises:
            MalformedPoolError: a pool's state cannot be one that is quoted here.
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
        return tuple(ToldDecimals(token, f"scalings[{k}]", 19 - len(str(by))) for k, (token, by) in scaled)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Balances, the curve, rates, fees, pauses and what the pool is."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> BalancerV3State:
        """The state that such a document describes; its logs are known from now on.

        What is left out is as in a pool without rates that nobody paused, after the block `at`.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        at_par: dict[str, JsonValue] = {"rates": [str(ONE)] * len(pool.tokens), "has_rates": "rates" in document}
        state = from_document(BalancerV3State, pool, document, _USUAL | at_par)
        if at is not None and "read_number" not in document and state.terms.has_rates:
            state = msgspec.structs.replace(state, read_number=at.number)
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
        """What the vault takes for exactly `amount_out` (EXACT_OUT); it may differ from `quote_in` by roundings.

        Raises:
            UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
        """
        return quoting.asked_in(_own(state), token_in, token_out, amount_out, at)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """Weighted product or stable curve; nothing comes out of an empty or paused pool."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV3Step:
        """The typed step that the Executor walks."""
        return BalancerV3Step(token_in, token_out, state.pool.address, pool_contract(state.pool))

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """More for every token and for rates, and for a stable curve."""
        del token_in, token_out, amount_in
        own = _own(state)
        curve = _GAS_STABLE if isinstance(own.curve, StableTerms) else 0
        return _GAS + curve + (_GAS_PER_TOKEN + _GAS_PER_RATE * own.terms.has_rates) * len(own.pool.tokens)


def _own(state: PoolState) -> BalancerV3State:
    assert isinstance(state, BalancerV3State), type(state)
    return state
