"""Balancer v3 on a local chain: vault, router and pools compiled from their published sources.

Stand-ins of a few bytes take the parts that decide no price: an authorizer that says yes, rate providers, hooks that
say what they are called for, and a contract that moves tokens as Permit2 does once it is permitted.
"""

from collections.abc import Mapping, Sequence

import msgspec
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import LocalChain

from headrace.devnet.deployer import create_address
from headrace.devnet.recipe.tokens import approve_all
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.devnet.third_party import third_party_artifact
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import ZERO_ADDRESS, Address, PoolId

TRADE_MIN = 10**6
SWAP_IN = "swapSingleTokenExactIn(address,address,address,uint256,uint256,uint256,bool,bytes)"
SWAP_OUT = "swapSingleTokenExactOut(address,address,address,uint256,uint256,uint256,bool,bytes)"
_CONFIG = "(address,uint8,address,bool)[]"
_MANAGEMENT = "(bool,bool,bool,bool)"
_REGISTER = f"registerPool(address,{_CONFIG},uint256,uint32,bool,(address,address,address),address,{_MANAGEMENT})"
_ON_REGISTER = f"onRegister(address,address,{_CONFIG},{_MANAGEMENT})"
_WEIGHTED = ("(string,string,uint256,uint256[],string,uint256[])", "address")
_STABLE = ("(string,string,uint256,string)", "address")
_AUTHORIZER, _MOVER, _HOOKS = (Address(f"0x{0xA0000 + n:040x}") for n in range(3))
# transferFrom(from, to, amount, token) calls the token's transferFrom(from, to, amount), and reverts where that does
_MOVES = "0x6323b872dd60e01b60005260606004600437600060006064600060006064355af1602857600080fd5b00"
_MINIMUM_BALANCE = 10**6
_PAUSE_WINDOW, _BUFFER = 90 * 86400, 30 * 86400


def swap_arguments(pool: PoolId, way: tuple[Address, Address], amount: int, limit: int) -> tuple[object, ...]:
    """What the router's functions for one swap take."""
    return pool, *way, amount, limit, NO_DEADLINE, False, b""


class PoolTerms(msgspec.Struct, frozen=True):
    """A pool to be made; `weights` in percent make it weighted, `amplification` stable; `rates` by token."""

    tokens: tuple[Address, ...]
    amounts: tuple[float, ...]
    swap_fee: int
    weights: tuple[int, ...] = ()
    amplification: int = 0
    rates: Mapping[Address, float] = {}


class BalancerV3Market:
    """A vault whose swap fees go in half to the protocol, and a tenth of its yield."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.rates: dict[Address, int] = {}
        self.provider_of: dict[tuple[Address, Address], Address] = {}
        self._put(_AUTHORIZER, answering({"canPerform(bytes32,address,address)": words(1)}))
        self._put(_MOVER, _MOVES)
        self.vault = self._deploy_vault()
        names, types = ("v3",), ("address", "address", "address", "string")
        router = third_party_artifact("balancer_v3", "Router")
        self.router = chain.deployer.deploy(router, types, self.vault, chain.weth, _MOVER, *names)
        approve_all(chain.deployer, chain.tokens, (_MOVER,))
        chain.deployer.flush()

    def tell(self, provider: Address, rate: int) -> None:
        """Change a provider's rate at once, on the head's state."""
        self.rates[provider] = rate
        self._put(provider, answering({"getRate()": words(rate)}))

    def make(self, terms: PoolTerms) -> Address:
        """Mine a pool with its first liquidity."""
        pool = self._deploy_pool(terms)
        self.register(pool, terms)
        self.fund(pool, terms)
        return pool

    def fund(self, pool: Address, terms: PoolTerms) -> None:
        """Mine a pool's first liquidity."""
        amounts = tuple(int(n * 10 ** self.chain.decimals[t]) for t, n in zip(terms.tokens, terms.amounts, strict=True))
        signature = "initialize(address,address[],uint256[],uint256,bool,bytes)"
        self.chain.deployer.transact(self.router, signature, pool, terms.tokens, amounts, 0, False, b"")
        self.chain.deployer.flush()

    def make_empty(self, terms: PoolTerms, hook_flags: Sequence[int] = ()) -> Address:
        """Mine a pool without liquidity; with flags, a hook is called for what they say."""
        pool = self._deploy_pool(terms)
        if hook_flags:
            flags = words(*hook_flags)
            self._put(_HOOKS, answering({"getHookFlags()": flags, _ON_REGISTER: words(1)}))
        self.register(pool, terms, _HOOKS if hook_flags else ZERO_ADDRESS)
        self.chain.deployer.flush()
        return pool

    def register(self, pool: Address, terms: PoolTerms, hooks: Address = ZERO_ADDRESS) -> None:
        """Queue a pool's registration; the deployer is all of its managers."""
        configs = []
        for token in terms.tokens:
            provider = ZERO_ADDRESS
            if token in terms.rates:
                provider = Address(f"0x{0xF00D0000 + len(self.rates):040x}")
                self.provider_of[pool, token] = provider
                self.tell(provider, int(terms.rates[token] * ONE))
            configs.append((token, int(token in terms.rates), provider, token in terms.rates))
        ends_at = self.chain.head().timestamp + _PAUSE_WINDOW
        sender = self.chain.deployer.sender
        roles, management = (sender, sender, ZERO_ADDRESS), (False,) * 4
        frame = (pool, configs, terms.swap_fee, ends_at, False, roles, hooks, management)
        self.chain.deployer.transact(self.vault, _REGISTER, *frame)

    def swap_arguments(
        self, pool: Address, way: tuple[Address, Address], amount: int, limit: int
    ) -> tuple[object, ...]:
        """What the router's functions for one swap take."""
        return pool, *way, amount, limit, NO_DEADLINE, False, b""

    def _deploy_pool(self, terms: PoolTerms) -> Address:
        deployer = self.chain.deployer
        if terms.amplification:
            frame: tuple[object, ...] = ("S", "S", terms.amplification, "1")
            return deployer.deploy(third_party_artifact("balancer_v3", "StablePool"), _STABLE, frame, self.vault)
        weights = tuple(one * ONE // 100 for one in terms.weights)
        minima = (_MINIMUM_BALANCE,) * len(weights)
        frame = ("W", "W", len(weights), weights, "1", minima)
        return deployer.deploy(third_party_artifact("balancer_v3", "WeightedPool"), _WEIGHTED, frame, self.vault)

    def _deploy_vault(self) -> Address:
        """Extension, administration and fees name the vault before it is there."""
        deployer, lock = self.chain.deployer, "balancer_v3"
        nonce = int(str(self.chain.rpc.request("eth_getTransactionCount", deployer.sender, "latest")), 16)
        vault = create_address(deployer.sender, nonce + 3)
        types = ("address", "uint32", "uint32", "uint256", "uint256")
        admin_artifact = third_party_artifact(lock, "VaultAdmin")
        admin = deployer.deploy(admin_artifact, types, vault, _PAUSE_WINDOW, _BUFFER, TRADE_MIN, TRADE_MIN)
        extension = deployer.deploy(third_party_artifact(lock, "VaultExtension"), ("address", "address"), vault, admin)
        fees_artifact = third_party_artifact(lock, "ProtocolFeeController")
        fees = deployer.deploy(fees_artifact, ("address", "uint256", "uint256"), vault, ONE // 2, ONE // 10)
        artifact = third_party_artifact(lock, "Vault")
        assert deployer.deploy(artifact, ("address",) * 3, extension, _AUTHORIZER, fees) == vault
        deployer.flush()
        return vault

    def _put(self, address: Address, code: str) -> None:
        self.chain.rpc.request("anvil_setCode", address, code)
