"""Balancer v2 weighted pools behind the port."""

from collections.abc import Mapping

from headrace.adapters.protocols.balancer_v2 import logs, quoting, reading
from headrace.adapters.protocols.balancer_v2.state import PROTOCOL, BalancerV2State, checked_state
from headrace.adapters.protocols.balancer_v2_vault.logs import VAULT_FORM
from headrace.adapters.protocols.balancer_v2_vault.state import UNPAUSED
from headrace.adapters.protocols.documents import from_document
from headrace.adapters.protocols.folder_dex import FolderDEX
from headrace.adapters.protocols.vault_registry import VaultRegistry
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.executor_step import BalancerV2Step
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState

GAS_PER_HOP = 95_000  # the vault's swap takes 76,000 to 79,000 (estimated on 8 pools), the exact approval the rest


class BalancerV2(FolderDEX[BalancerV2State]):
    """Weighted pools of any vault, which is found through the pool; it takes the input first: no pool funds a plan."""

    protocol_id = PROTOCOL

    def __init__(self) -> None:
        super().__init__(BalancerV2State, logs, reading, quoting, VaultRegistry(VAULT_FORM))

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published vault's and weighted pools'."""
        del state
        return Proof.BYTECODE

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> BalancerV2State:
        """The state that such a document describes; what is left out is as in a pool that nobody manages or paused.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        del at  # its logs tell everything
        usual: dict[str, JsonValue] = {**UNPAUSED, "has_shortcuts": True, "managed": ["0"] * len(pool.tokens)}
        state = from_document(BalancerV2State, pool, document, usual)
        self._speakers.enter(checked_state(state).pool)
        return state

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the vault takes for exactly `amount_out` (GIVEN_OUT).

        Raises:
            UnquotableError: vault or pool would revert.
        """
        return quoting.asked_in(self._own(state), token_in, token_out, amount_out, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV2Step:
        """The typed step that the Executor walks."""
        return BalancerV2Step(token_in, token_out, state.pool.address, state.pool.id)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """The same for every swap."""
        del state, token_in, token_out, amount_in
        return GAS_PER_HOP
