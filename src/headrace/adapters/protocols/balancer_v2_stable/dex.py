"""Balancer v2 stable pools behind the port."""

from collections.abc import Mapping

import msgspec

from headrace.adapters.protocols.balancer_v2_stable import logs, quoting, reading
from headrace.adapters.protocols.balancer_v2_stable.state import PROTOCOL, BalancerV2StableState, ReadAt, checked_state
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
from headrace.ports.pool import PoolState, ToldDecimals

_GAS = 125_000  # with the exact approval; estimated on the nine pools of the conformance suite, 123,000 to 172,000
_GAS_PER_TOKEN = 12_000  # beyond two
_GAS_PER_RATE = 15_000


class BalancerV2Stable(FolderDEX[BalancerV2StableState]):
    """Stable pools of any vault, which is found through the pool; it takes the input first: no pool funds a plan."""

    protocol_id = PROTOCOL

    def __init__(self) -> None:
        super().__init__(BalancerV2StableState, logs, reading, quoting, VaultRegistry(VAULT_FORM))

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Whether a rate's cache may have run out, or a log said that it was filled, or amplification moves unseen."""
        return self._own(state).is_outdated(block_number)

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode for the first invariant; recorded for the later one, whose newest pools publish no code."""
        return Proof.BYTECODE if self._own(state).terms.rounds_up else Proof.RECORDED

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """By the scalings."""
        own = self._own(state)
        scaled = enumerate(zip(own.pool.tokens, own.terms.scalings, strict=True))
        return tuple(ToldDecimals(token, f"scalings[{k}]", 37 - len(str(by))) for k, (token, by) in scaled)

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> BalancerV2StableState:
        """The state that such a document describes; its logs are known from now on.

        What is left out is as in a composable pool without rates that nobody manages or paused, after the block `at`.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        count = len(pool.tokens)
        usual: dict[str, JsonValue] = {**UNPAUSED, "rounds_up": False, "renews_late": False}
        usual |= {"managed": ["0"] * count, "rates": [None] * count}
        state = from_document(BalancerV2StableState, pool, document, usual)
        if at is not None and "read_at" not in document and (state.amplification is None or any(state.rates)):
            state = msgspec.structs.replace(state, read_at=ReadAt(at.number, at.timestamp))
        checked_state(state)
        self._speakers.enter(state.pool)
        return state

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the vault takes for exactly `amount_out` (GIVEN_OUT); it may differ from `quote_in` by roundings.

        Raises:
            UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
        """
        return quoting.asked_in(self._own(state), token_in, token_out, amount_out, at)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> BalancerV2Step:
        """The typed step that the Executor walks."""
        return BalancerV2Step(token_in, token_out, state.pool.address, state.pool.id)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """More for every token and every rate of the pool."""
        del token_in, token_out, amount_in
        own = self._own(state)
        rates = sum(rate is not None for rate in own.rates)
        return _GAS + _GAS_PER_TOKEN * (len(own.pool.tokens) - 2) + _GAS_PER_RATE * rates
