"""Balancer v3 pools behind the port."""

from collections.abc import Mapping

import msgspec

from headrace.adapters.protocols.balancer_v3 import logs, quoting, reading
from headrace.adapters.protocols.balancer_v3.state import (
    PROTOCOL,
    BalancerV3State,
    StableTerms,
    WeightedTerms,
    checked_state,
    pool_contract,
)
from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.vault_registry import VaultRegistry
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.executor_step import BalancerV3Step
from headrace.model.pool import Pool
from headrace.model.proof import Proof
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


class BalancerV3(FolderDEX[BalancerV3State]):
    """Weighted and stable pools of any vault; the vault is found through the pool.

    A plan is not funded by its vault here, though that settles at the end.
    """

    protocol_id = PROTOCOL

    def __init__(self) -> None:
        super().__init__(BalancerV3State, logs, reading, quoting, VaultRegistry(logs.VAULT_FORM))

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Whether rates may have changed: at every block, where a token has one."""
        return self._own(state).is_outdated(block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode for weighted pools with least balances; recorded for the others, of which some are older than it."""
        curve = self._own(state).curve
        return Proof.BYTECODE if isinstance(curve, WeightedTerms) and curve.minima is not None else Proof.RECORDED

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the scalings."""
        own = self._own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.scalings, strict=True))
        return tuple(ToldDecimals(token, f"scalings[{k}]", 19 - len(str(by))) for k, (token, by) in scaled)

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
        self._speakers.enter(state.pool)
        return state

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the vault takes for exactly `amount_out` (EXACT_OUT); it may differ from `quote_in` by roundings.

        Raises:
            UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
        """
        return quoting.asked_in(self._own(state), token_in, token_out, amount_out, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV3Step:
        """The typed step that the Executor walks."""
        return BalancerV3Step(token_in, token_out, state.pool.address, pool_contract(state.pool))

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """More for every token and for rates, and for a stable curve."""
        del token_in, token_out, amount_in
        own = self._own(state)
        curve = _GAS_STABLE if isinstance(own.curve, StableTerms) else 0
        return _GAS + curve + (_GAS_PER_TOKEN + _GAS_PER_RATE * own.terms.has_rates) * len(own.pool.tokens)
