"""What the subjects of Balancer's second vault share: swaps, joins and exits through the vault, and broken logs.

Oracle: `vault.swap` itself, called for each case on the head's state.
"""

import random
from collections.abc import Iterator, Sequence

import msgspec
from eth_hash.auto import keccak
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.balancer_v2_vault.state import VaultState
from headrace.devnet.abi import encode_call
from headrace.devnet.recipe.balancer_v2 import deploy_balancer_v2
from headrace.devnet.recipe.tokens import MAX_UINT256, approve_all
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import DEX, PoolState

SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
GIVEN_IN, GIVEN_OUT = 0, 1
QUERY = (
    "queryBatchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool))(int256[])"
)
_JOIN = "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
_EXIT = "exitPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
_SENTINEL = 0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF


class BalancerVaultSubject:
    """A vault, approved for all tokens by the deployer."""

    dex: DEX

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.no_pool = chain.tokens[0] + "00" * 12
        self.exchange = deploy_balancer_v2(chain.deployer, chain.weth)
        approve_all(chain.deployer, chain.tokens, (self.exchange.vault,))

    def reserve(self, state: PoolState, token: Address) -> int:
        assert isinstance(state, VaultState)
        return state.balance(state.pool.tokens.index(token))

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        answers = self.chain.call_all((self.swap_call(case), "latest") for case in cases)
        return [None if answer is None else answer[0] for answer in answers]

    def swap_call(self, case: Case) -> dict[str, str]:
        """The transaction of a case, from the deployer, who holds and approved every token."""
        way = (case.token_in, case.token_out)
        data = encode_call(SWAP, *self._swap_arguments(case.state.pool.id, way, GIVEN_IN, _SENTINEL))
        filled = data.replace(f"{_SENTINEL:064x}", f"{case.amount_in:064x}")
        return {"from": self.chain.deployer.sender, "to": self.exchange.vault, "data": filled}

    def query(self, case: Case, kind: int, amount: int) -> dict[str, str]:
        """The vault's own question what a swap for an exact input or output takes and gives."""
        sender = self.chain.deployer.sender
        swap = (bytes.fromhex(case.state.pool.id[2:]), 0, 1, amount, b"")
        data = encode_call(QUERY, kind, [swap], (case.token_in, case.token_out), (sender, False, sender, False))
        return {"to": self.exchange.vault, "data": data}

    def broken(self, log: Log) -> Iterator[Log]:
        replace = msgspec.structs.replace
        words = [log.data[i : i + 64] for i in range(2, len(log.data), 64)]
        yield replace(log, topics=log.topics[:-1])
        yield replace(log, topics=(*log.topics, log.topics[0]))
        if log.address != self.exchange.vault:
            if len(words) == 1 and int(log.data, 16) > 1 and len(log.topics) == 1:
                yield replace(log, data=f"0x{ONE:064x}")
            return
        yield replace(log, topics=(log.topics[0], log.topics[0], *log.topics[2:]))
        if len(log.topics) == 4:
            yield replace(log, topics=(*log.topics[:-1], log.topics[0]))
            yield replace(log, topics=(*log.topics[:-1], "0x" + "00" * 12 + "66" * 20))
            yield replace(log, data="0x" + f"{1 << 112:064x}" * 2)
        if len(log.topics) == 3:
            yield replace(log, data="0x" + "".join([words[0], f"{1 << 200:064x}", *words[2:]]))
            yield replace(log, data="0x" + "".join([*words[:3], f"{1 << 200:064x}", *words[4:]]))
            yield replace(log, data="0x" + "".join([*words[:4], "0" * 24 + "66" * 20, *words[5:]]))

    def registered(self, pool_id: PoolId) -> tuple[list[Address], list[int]]:
        """The tokens that the vault holds for a pool and their balances, cash and managed."""
        signature = "getPoolTokens(bytes32)(address[],uint256[],uint256)"
        tokens, balances, _ = self.chain.deployer.call(self.exchange.vault, signature, bytes.fromhex(pool_id[2:]))
        return msgspec.convert(tokens, list[Address]), msgspec.convert(balances, list[int])

    def balances(self, pool: Pool) -> list[int]:
        """Cash and managed of each token that is traded."""
        tokens, balances = self.registered(pool.id)
        return [held for token, held in zip(tokens, balances, strict=True) if token in pool.tokens]

    def pool_id(self, pool: Address) -> PoolId:
        """What the pool says."""
        found = self.chain.deployer.call(pool, "getPoolId()(bytes32)")[0]
        assert isinstance(found, bytes)
        return PoolId("0x" + found.hex())

    def described(self, pool_id: PoolId) -> Pool:
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, "balancer", pool_id, block))

    def whole(self, tokens: Sequence[Address], *amounts: float) -> tuple[int, ...]:
        """Amounts in raw units."""
        return tuple(int(n * 10 ** self.chain.decimals[t]) for t, n in zip(tokens, amounts, strict=True))

    def join(self, pool_id: PoolId, payload: bytes) -> None:
        """Queue a join with the pool's own payload."""
        tokens, _ = self.registered(pool_id)
        request = (tokens, (MAX_UINT256,) * len(tokens), payload, False)
        sender = self.chain.deployer.sender
        self.chain.deployer.transact(self.exchange.vault, _JOIN, bytes.fromhex(pool_id[2:]), sender, sender, request)

    def leave(self, pool_id: PoolId, payload: bytes) -> None:
        """Queue an exit with the pool's own payload."""
        tokens, _ = self.registered(pool_id)
        request = (tokens, (0,) * len(tokens), payload, False)
        sender = self.chain.deployer.sender
        self.chain.deployer.transact(self.exchange.vault, _EXIT, bytes.fromhex(pool_id[2:]), sender, sender, request)

    def share(self, draw: random.Random, pool: Pool) -> int:
        """A little of the pool's own token, of what the deployer holds."""
        contract, sender = Address(pool.id[:42]), self.chain.deployer.sender
        held = self.chain.deployer.call_integer(contract, "balanceOf(address)(uint256)", sender)
        return int(held * draw.uniform(0.0001, 0.003))

    def swap(self, pool_id: PoolId, way: tuple[Address, Address], kind: int, amount: int) -> None:
        """Queue a swap for an exact input or output."""
        arguments = self._swap_arguments(pool_id, way, kind, amount)
        self.chain.deployer.transact(self.exchange.vault, SWAP, *arguments)

    def allow(self, contract: Address, signature: str) -> None:
        """Queue the authorizer's leave for the deployer to call a function of vault or pool."""
        deployer = self.chain.deployer
        role = deployer.call(contract, "getActionId(bytes4)(bytes32)", keccak(signature.encode())[:4])[0]
        authorizer = deployer.call_address(self.exchange.vault, "getAuthorizer()(address)")
        deployer.transact(authorizer, "grantRole(bytes32,address)", role, deployer.sender)

    def _swap_arguments(
        self, pool_id: PoolId, way: tuple[Address, Address], kind: int, amount: int
    ) -> tuple[object, ...]:
        sender = self.chain.deployer.sender
        single = (bytes.fromhex(pool_id[2:]), kind, *way, amount, b"")
        return single, (sender, False, sender, False), MAX_UINT256 if kind else 0, NO_DEADLINE
