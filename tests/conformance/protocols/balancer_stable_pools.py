"""Stable pools of every deployment whose bytecode is published, made for the suite; tokens and rates are its own."""

from collections.abc import Callable, Mapping, Sequence

from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.balancer_vault_subject import BalancerVaultSubject

from headrace.devnet.abi import encode_arguments
from headrace.devnet.artifacts import Artifact, balancer_artifact
from headrace.model.address import Address

_NAMES = ("Stable", "S")
_PAUSE = (90 * 86400, 30 * 86400)
_LISTS = ("address[]", "address[]", "uint256[]")
_COMPOSABLE = f"(address,address,string,string,{','.join(_LISTS)},bool[],{','.join(['uint256'] * 4)},address)"
_PHANTOM = f"(address,string,string,{','.join(_LISTS)},{','.join(['uint256'] * 4)},address)"
_META = f"(address,string,string,{','.join(_LISTS)},{','.join(['uint256'] * 4)},bool,address)"
_PLAIN = ("address", "string", "string", "address[]", *["uint256"] * 4, "address")
_LIBRARY_DIGITS = 40

Caches = Mapping[Address, tuple[Address, int]]  # provider (or zero) and seconds in the cache for each token
Maker = Callable[[BalancerVaultSubject, Caches, int, int], Address]


class RateProviders:
    """Contracts that answer `getRate()` with what they are told to."""

    def __init__(self, subject: BalancerVaultSubject) -> None:
        self._rpc = subject.chain.rpc
        self.rates: dict[Address, int] = {}

    def add(self, rate: int) -> Address:
        """A new provider."""
        provider = Address(f"0x{0xF00D0000 + len(self.rates):040x}")
        self.tell(provider, rate)
        return provider

    def tell(self, provider: Address, rate: int) -> None:
        """Change a provider's rate at once, on the head's state."""
        self.rates[provider] = rate
        self._rpc.request("anvil_setCode", provider, answering({"getRate()": words(rate)}))

    def silence(self, provider: Address) -> None:
        """Make a provider revert."""
        self._rpc.request("anvil_setCode", provider, answering({}))


def plain_of_2021(subject: BalancerVaultSubject, tokens: Sequence[Address], amplification: int, fee: int) -> Address:
    """Queue a plain stable pool of June 2021."""
    artifact = balancer_artifact("deprecated/20210624-stable-pool", "StablePool")
    sender = subject.chain.deployer.sender
    frame = (subject.exchange.vault, *_NAMES, tokens, amplification, fee, *_PAUSE, sender)
    return subject.chain.deployer.deploy(artifact, _PLAIN, *frame)


def plain_of_2022(subject: BalancerVaultSubject, tokens: Sequence[Address], amplification: int, fee: int) -> Address:
    """Make a plain stable pool of June 2022, by its factory."""
    deployer = subject.chain.deployer
    factory = deployer.deploy(
        balancer_artifact("20220609-stable-pool-v2", "StablePoolFactory"), ("address",), subject.exchange.vault
    )
    signature = "create(string,string,address[],uint256,uint256,address)"
    nonce = deployer.transact(factory, signature, *_NAMES, tokens, amplification, fee, deployer.sender)
    created = next(log for log in deployer.logs(nonce) if log.address == factory)
    return Address("0x" + created.topics[1][-40:])


def meta_stable(subject: BalancerVaultSubject, rates: Caches, amplification: int, fee: int) -> Address:
    """Queue a meta-stable pool."""
    task = "deprecated/20210727-meta-stable-pool"
    deployer = subject.chain.deployer
    library = deployer.deploy(balancer_artifact(task, "QueryProcessor"))
    unlinked = balancer_artifact(task, "MetaStablePool")
    frame = (subject.exchange.vault, *_NAMES, *_rate_lists(rates), amplification, fee, *_PAUSE, True, deployer.sender)
    return deployer.deploy(_linked(unlinked, library), (_META,), frame)


def phantom(subject: BalancerVaultSubject, rates: Caches, amplification: int, fee: int) -> Address:
    """Queue a phantom pool of December 2021."""
    artifact = balancer_artifact("deprecated/20211208-stable-phantom-pool", "StablePhantomPool")
    deployer = subject.chain.deployer
    frame = (subject.exchange.vault, *_NAMES, *_rate_lists(rates), amplification, fee, *_PAUSE, deployer.sender)
    return deployer.deploy(artifact, (_PHANTOM,), frame)


def composable(
    subject: BalancerVaultSubject,
    rates: Caches,
    amplification: int,
    fee: int,
    task: str = "20220906-composable-stable-pool",
) -> Address:
    """Queue a composable pool of September 2022."""
    deployer, vault = subject.chain.deployer, subject.exchange.vault
    fees = deployer.call_address(subject.exchange.weighted_factory, "getProtocolFeePercentagesProvider()(address)")
    exempt = [False] * len(rates)
    frame = (vault, fees, *_NAMES, *_rate_lists(rates), exempt, amplification, fee, *_PAUSE, deployer.sender)
    return deployer.deploy(balancer_artifact(task, "ComposableStablePool"), (_COMPOSABLE,), frame)


def composable_first(subject: BalancerVaultSubject, rates: Caches, amplification: int, fee: int) -> Address:
    """Queue a composable pool of August 2022."""
    return composable(subject, rates, amplification, fee, "20220817-composable-stable-pool")


def first_liquidity(amounts: Sequence[int]) -> bytes:
    """Payload of a pool's first join; composable and phantom pools count their own token, at any amount."""
    return encode_arguments(("uint256", "uint256[]"), 0, amounts)


def _rate_lists(rates: Caches) -> tuple[list[Address], list[Address], list[int]]:
    tokens = sorted(rates)
    return tokens, [rates[token][0] for token in tokens], [rates[token][1] for token in tokens]


def _linked(artifact: Artifact, library: Address) -> Artifact:
    code = artifact.creation_code
    while (at := code.find("__$")) >= 0:
        code = code[:at] + library[2:] + code[at + _LIBRARY_DIGITS :]
    return Artifact(artifact.name, code)
