"""Every event that a published contract can emit is folded or known to be harmless, and is not both.

Oracles: the interfaces that the protocols' authors published with their bytecode (npm packages of the lock); for
Balancer v3, whose packages hold sources, the code compiled from them, in which an event's topic must stand; for Curve
the events of the 92 pool interfaces in @curvefi/api 2.65.13 (78 StableSwap, 14 CryptoSwap), and for Solidly those of
Aerodrome's IPool.sol and of Solidly's BaseV1-core.sol, quoted here.
"""

import msgspec
import pytest

from headrace.adapters.protocols.balancer_v3 import logs as balancer_v3
from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.words import topic
from headrace.app.dexes import every_dex
from headrace.devnet.places import NODE_MODULES
from headrace.devnet.third_party import third_party_artifact
from headrace.model.pool import ProtocolId

TASKS = "@balancer-labs/v2-deployments/dist/tasks"
VAULT = f"{TASKS}/20210418-vault/abi/Vault.json"
WEIGHTED = ("20210418-weighted-pool", "20220908-weighted-pool-v2")
STABLE = (
    "deprecated/20210624-stable-pool/abi/StablePool",
    "deprecated/20210727-meta-stable-pool/abi/MetaStablePool",
    "deprecated/20211208-stable-phantom-pool/abi/StablePhantomPool",
    "20220609-stable-pool-v2/abi/StablePool",
    "20220817-composable-stable-pool/abi/ComposableStablePool",
    "20220906-composable-stable-pool/abi/ComposableStablePool",
)
PUBLISHED = (
    ("uniswap_v2", "@uniswap/v2-core/build/UniswapV2Pair.json"),
    ("uniswap_v3", "@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json"),
    ("uniswap_v3", "@pancakeswap/v3-core/artifacts/contracts/PancakeV3Pool.sol/PancakeV3Pool.json"),
    ("uniswap_v4", "@uniswap/v4-core/out/PoolManager.sol/PoolManager.json"),
    ("balancer_v2", VAULT),
    *(("balancer_v2", f"{TASKS}/{task}/abi/WeightedPool.json") for task in WEIGHTED),
    ("balancer_v2_stable", VAULT),
    *(("balancer_v2_stable", f"{TASKS}/{path}.json") for path in STABLE),
)


def listed(signatures: str) -> list[str]:
    return signatures.split()


STABLESWAP = listed("""
    ApplyNewFee(uint256) ApplyNewFee(uint256,uint256) Approval(address,address,uint256)
    CommitNewAdmin(uint256,address) CommitNewFee(uint256) CommitNewFee(uint256,uint256,uint256)
    CommitNewFee(uint256,uint256,uint256,uint256) CommitNewParameters(uint256,uint256,uint256,uint256)
    NewAdmin(address) NewFee(uint256,uint256) NewFee(uint256,uint256,uint256)
    NewParameters(uint256,uint256,uint256) RampA(uint256,uint256,uint256,uint256)
    RemoveLiquidityOne(address,int128,uint256,uint256,uint256) RemoveLiquidityOne(address,uint256,uint256)
    RemoveLiquidityOne(address,uint256,uint256,uint256) StopRampA(uint256,uint256)
    TokenExchange(address,int128,uint256,int128,uint256)
    TokenExchangeUnderlying(address,int128,uint256,int128,uint256) Transfer(address,address,uint256)
    TransferOwnership(address,address)
""") + [
    f"{name}(address,uint256[{count}],uint256[{count}],{tail})"
    for count in ("2", "3", "4", "6", "")
    for name, tail in (
        ("AddLiquidity", "uint256,uint256"),
        ("RemoveLiquidity", "uint256"),
        ("RemoveLiquidityImbalance", "uint256,uint256"),
    )
]
CRYPTOSWAP = listed("""
    AddLiquidity(address,uint256[2],uint256,uint256) AddLiquidity(address,uint256[2],uint256,uint256,uint256)
    AddLiquidity(address,uint256[3],uint256,uint256) AddLiquidity(address,uint256[3],uint256,uint256,uint256)
    Approval(address,address,uint256) ClaimAdminFee(address,uint256) ClaimAdminFee(address,uint256[2])
    ClaimAdminFee(address,uint256[3]) CommitNewAdmin(uint256,address)
    CommitNewParameters(uint256,uint256,uint256,uint256,uint256,uint256,uint256)
    CommitNewParameters(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256) NewAdmin(address)
    NewParameters(uint256,uint256,uint256,uint256,uint256,uint256)
    NewParameters(uint256,uint256,uint256,uint256,uint256,uint256,uint256)
    RampAgamma(uint256,uint256,uint256,uint256,uint256,uint256) RemoveLiquidity(address,uint256[2],uint256)
    RemoveLiquidity(address,uint256[3],uint256) RemoveLiquidityOne(address,uint256,uint256,uint256)
    RemoveLiquidityOne(address,uint256,uint256,uint256,uint256,uint256) StopRampA(uint256,uint256,uint256)
    TokenExchange(address,uint256,uint256,uint256,uint256)
    TokenExchange(address,uint256,uint256,uint256,uint256,uint256,uint256) Transfer(address,address,uint256)
""")
SOLIDLY = listed("""
    Fees(address,uint256,uint256) Mint(address,uint256,uint256) Burn(address,address,uint256,uint256)
    Swap(address,address,uint256,uint256,uint256,uint256) Sync(uint256,uint256) Claim(address,address,uint256,uint256)
    Burn(address,uint256,uint256,address) Swap(address,uint256,uint256,uint256,uint256,address)
    Transfer(address,address,uint256) Approval(address,address,uint256)
""")
QUOTED = {"curve_stableswap": STABLESWAP, "curve_cryptoswap": CRYPTOSWAP, "solidly": SOLIDLY}
COUNTS = {"uniswap_v2": 6, "uniswap_v3": 12, "uniswap_v4": 10, "balancer_v2": 17, "balancer_v2_stable": 28}


class Kind(msgspec.Struct):
    """A parameter's type."""

    type: str
    components: list["Kind"] = []

    @property
    def name(self) -> str:
        inner = ",".join(part.name for part in self.components)
        return self.type.replace("tuple", f"({inner})", 1) if self.components else self.type


class Entry(msgspec.Struct):
    """A part of an interface."""

    type: str
    name: str = ""
    inputs: list[Kind] = []
    anonymous: bool = False


class Interface(msgspec.Struct):
    abi: list[Entry]


def published(path: str) -> set[str]:
    raw = (NODE_MODULES / path).read_bytes()
    entries = msgspec.json.decode(raw, type=list[Entry]) if raw.lstrip().startswith(b"[") else None
    events = [one for one in entries or msgspec.json.decode(raw, type=Interface).abi if one.type == "event"]
    assert not any(event.anonymous for event in events)
    return {topic(f"{event.name}({','.join(kind.name for kind in event.inputs)})") for event in events}


@pytest.mark.parametrize(("protocol", "path"), PUBLISHED)
def test_each_event_of_a_published_interface_is_folded_or_harmless(protocol: str, path: str) -> None:
    dex, events = every_dex()[ProtocolId(protocol)], published(path)
    assert not dex.topics & dex.harmless_topics
    assert events - dex.topics - dex.harmless_topics == set()
    assert len(events) >= 4


@pytest.mark.parametrize("protocol", sorted(COUNTS))
def test_nothing_is_known_that_no_published_contract_emits(protocol: str) -> None:
    dex = every_dex()[ProtocolId(protocol)]
    events = {event for name, path in PUBLISHED if name == protocol for event in published(path)}
    assert len(events) == COUNTS[protocol]
    beyond = (dex.topics | dex.harmless_topics) - events - SHARE_TOPICS
    stable = {event for name, path in PUBLISHED if name == "balancer_v2_stable" for event in published(path)}
    assert beyond <= (stable if protocol == "balancer_v2" else set()), "all pools of a vault have a list in common"


@pytest.mark.parametrize("protocol", sorted(QUOTED))
def test_each_event_of_a_quoted_interface_is_folded_or_harmless(protocol: str) -> None:
    dex, events = every_dex()[ProtocolId(protocol)], {topic(event) for event in QUOTED[protocol]}
    assert not dex.topics & dex.harmless_topics
    assert events - dex.topics - dex.harmless_topics == set()
    print(protocol, len(events), len(dex.topics | dex.harmless_topics))  # noqa: T201 - what was covered


def test_each_event_known_of_balancer_v3_stands_in_its_compiled_code() -> None:
    names = ("Vault", "VaultExtension", "VaultAdmin", "StablePool", "WeightedPool")
    code = "".join(third_party_artifact("balancer_v3", name).creation_code for name in names)
    known = balancer_v3.TOPICS | balancer_v3.HARMLESS
    assert {event for event in known if event[2:] not in code} == set()
    assert len(known) == 29
