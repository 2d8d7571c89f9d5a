"""Events of factories; the oracles are addresses, ids and topics of the chains themselves, named beside each."""

from collections.abc import Sequence

import msgspec
import pytest
from tests.support.log_archive import unplaced

from headrace.adapters.factories.balancer_v2 import POOL_REGISTERED, BalancerV2Vault
from headrace.adapters.factories.balancer_v3 import POOL_REGISTERED as V3_POOL_REGISTERED
from headrace.adapters.factories.balancer_v3 import BalancerV3Vault
from headrace.adapters.factories.create2 import clone_code_hash
from headrace.adapters.factories.solidly import PAIR_CREATED as SOLIDLY_PAIR_CREATED
from headrace.adapters.factories.solidly import POOL_CREATED as VELODROME_POOL_CREATED
from headrace.adapters.factories.solidly import SolidlyFactory
from headrace.adapters.factories.uniswap_v2 import PAIR_CREATED, UniswapV2Factory
from headrace.adapters.factories.uniswap_v3 import POOL_CREATED, UniswapV3Factory
from headrace.adapters.factories.uniswap_v4 import INITIALIZE, UniswapV4Manager
from headrace.errors import MalformedLogError
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId, keccak_hex
from headrace.model.event import Log
from headrace.ports.factory import Factory


def address(text: str) -> Address:
    return Address(text.lower())


USDC = address("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
WETH = address("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2")
V2_HASH = Hash32("0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
SUSHI_HASH = Hash32("0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303")
V3_HASH = Hash32("0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
PANCAKE_V3_HASH = Hash32("0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2")
BALANCER_POOL = PoolId("0x5c6ee304399dbdb9c8ef030ab642b10820db8f56000200000000000000000014")  # 80 BAL, 20 WETH

V2 = UniswapV2Factory(address("0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f"), V2_HASH)
V3 = UniswapV3Factory(address("0x1F98431c8aD98523631AE4a59f267346ea31F984"), V3_HASH)
V4 = UniswapV4Manager(address("0x000000000004444c5dc75cB358380D2e3dE08A90"))
VAULT = BalancerV2Vault(address("0xBA12222222228d8Ba445958a75a0704d566BF2C8"))
AERODROME = SolidlyFactory(
    address("0x420DD381b31aEf6683db6B902084cB0FFECe40Da"),
    clone_code_hash(address("0xA4e46b4f701c62e14DF11B48dCe76A7d793CD6d7")),
)


def word(value: int | str) -> str:
    number = int(value, 16) if isinstance(value, str) else value
    return f"{number % (1 << 256):064x}"


def event(factory: Factory, topic: Hash32, indexed: Sequence[int | str], data: Sequence[int | str]) -> Log:
    topics = (topic, *(Hash32("0x" + word(one)) for one in indexed))
    return unplaced(factory.address, topics, "0x" + "".join(word(one) for one in data))


V2_LOG = event(V2, PAIR_CREATED, [USDC, WETH], ["0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", 1])
V3_LOG = event(V3, POOL_CREATED, [USDC, WETH, 500], [10, "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640"])
V4_ID = "0x21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27"  # ETH and USDC at 500, no hook
V4_LOG = event(V4, INITIALIZE, [V4_ID, ZERO_ADDRESS, USDC], [500, 10, ZERO_ADDRESS, 1 << 96, -200_000])
VAULT_LOG = event(VAULT, POOL_REGISTERED, [BALANCER_POOL, BALANCER_POOL[:42]], [2])
AERODROME_LOG = event(  # volatile WETH and USDC on Base
    AERODROME,
    VELODROME_POOL_CREATED,
    ["0x4200000000000000000000000000000000000006", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 0],
    ["0xcDAC0d6c6C59727a65F871236188350531885C43", 3],
)
REAL: list[tuple[Factory, Log]] = [
    (V2, V2_LOG),
    (V3, V3_LOG),
    (V4, V4_LOG),
    (VAULT, VAULT_LOG),
    (AERODROME, AERODROME_LOG),
]
IDS = ["uniswap v2", "uniswap v3", "uniswap v4", "balancer v2", "aerodrome"]


def test_topics_are_those_of_the_chain() -> None:
    assert PAIR_CREATED == "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9"
    assert POOL_CREATED == "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118"
    assert INITIALIZE == "0xdd466e674ea557f56295e2d0218a125ea4b4f0f6f3307b95f85e6110838d6438"
    assert POOL_REGISTERED == "0x3c13bc30b8e878c53fd2a36b679409c073afd75950be43d8858768e956fbc20e"
    assert VELODROME_POOL_CREATED == "0x2128d88d14c80cb081c1252a5acff7a264671bf199ce226b53788fb26065005e"
    assert SOLIDLY_PAIR_CREATED == "0xc4805696c66d7cf352fc1d6bb633ad5ee82f6cb577c453024b6e0eb8306c6fc9"


@pytest.mark.parametrize(("factory", "log"), REAL, ids=IDS)
def test_a_real_pool_is_the_one_that_its_factorys_rule_gives(factory: Factory, log: Log) -> None:
    creation = factory.read(log)
    assert creation.flaw == ""
    assert factory.question(creation) is None
    assert log.topics[0] in factory.topics


def test_what_the_events_tell_is_taken_over() -> None:
    assert V2.read(V2_LOG).tokens == (USDC, WETH)
    assert V2.read(V2_LOG).ordinal == 1
    v3 = V3.read(V3_LOG)
    assert (v3.pool, v3.fee_pips, v3.tick_spacing) == ("0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640", 500, 10)
    v4 = V4.read(V4_LOG)
    assert (v4.pool, v4.tokens, v4.fee_pips) == (V4_ID, (ZERO_ADDRESS, USDC), 500)
    assert (v4.tick_spacing, v4.hooks) == (10, ZERO_ADDRESS)
    assert (VAULT.read(VAULT_LOG).pool, VAULT.read(VAULT_LOG).ordinal) == (BALANCER_POOL, 0x14)
    assert (AERODROME.read(AERODROME_LOG).is_stable, AERODROME.read(AERODROME_LOG).ordinal) == (False, 3)


def test_forks_have_rules_of_their_own() -> None:
    sushi = UniswapV2Factory(address("0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac"), SUSHI_HASH)
    log = event(sushi, PAIR_CREATED, [USDC, WETH], ["0x397FF1542f962076d0BFE58eA045FfA2d347ACa0", 1])
    assert sushi.read(log).flaw == ""
    assert UniswapV2Factory(sushi.address, V2_HASH).read(log).flaw != ""


def test_pancakeswaps_pools_are_made_by_its_deployer() -> None:
    usdt, wbnb = "0x55d398326f99059fF775485246999027B3197955", "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c"
    factory, deployer = (
        address("0x0BFbCF9fa4f9C56B0F40a671Ad40E0805A091865"),
        address("0x41ff9AA7e16B8B1a8a8dc4f0eFacd93D02d071c9"),
    )
    pancake = UniswapV3Factory(factory, PANCAKE_V3_HASH, deployer)
    log = event(pancake, POOL_CREATED, [usdt, wbnb, 500], [10, "0x36696169C63e42cd08ce11f5deeBbCeBae652050"])
    assert pancake.read(log).flaw == ""
    assert UniswapV3Factory(factory, PANCAKE_V3_HASH).read(log).flaw != ""


def replaced(log: Log, topic: int | None, place: int, value: int | str) -> Log:
    """The log with one word changed: of the topics, or of the data."""
    if topic is not None:
        topics = (*log.topics[:topic], Hash32("0x" + word(value)), *log.topics[topic + 1 :])
        return msgspec.structs.replace(log, topics=topics)
    start = 2 + 64 * place
    return msgspec.structs.replace(log, data=log.data[:start] + word(value) + log.data[start + 64 :])


@pytest.mark.parametrize(
    ("factory", "log"),
    [
        (V2, replaced(V2_LOG, None, 0, 0xBAD)),
        (V2, replaced(V2_LOG, 1, 0, 0xBAD)),
        (V2, replaced(V2_LOG, 1, 0, "0x" + "ff" * 20)),
        (V3, replaced(V3_LOG, None, 1, 0xBAD)),
        (V3, replaced(V3_LOG, 3, 0, 3000)),
        (V3, replaced(V3_LOG, 2, 0, USDC)),
        (V4, replaced(V4_LOG, 1, 0, 0xBAD)),
        (V4, replaced(V4_LOG, None, 0, 501)),
        (V4, replaced(V4_LOG, None, 1, 11)),
        (V4, replaced(V4_LOG, None, 2, 0x80)),
        (V4, replaced(V4_LOG, 3, 0, ZERO_ADDRESS)),
        (VAULT, replaced(VAULT_LOG, 2, 0, 0xBAD)),
        (VAULT, replaced(VAULT_LOG, None, 0, 1)),
        (AERODROME, replaced(AERODROME_LOG, 3, 0, 1)),
        (AERODROME, replaced(AERODROME_LOG, None, 0, 0xBAD)),
        (AERODROME, replaced(AERODROME_LOG, 2, 0, 1)),
    ],
)
def test_a_pool_that_the_rule_does_not_give_has_a_flaw(factory: Factory, log: Log) -> None:
    assert factory.read(log).flaw != ""


@pytest.mark.parametrize(
    ("factory", "log", "field"),
    [
        (V2, replaced(V2_LOG, None, 0, 1 << 160), "pair"),
        (V2, replaced(V2_LOG, 1, 0, 1 << 160), "token0"),
        (V2, replaced(V2_LOG, 2, 0, 1 << 160), "token1"),
        (V3, replaced(V3_LOG, 3, 0, 1_000_000), "fee"),
        (V3, replaced(V3_LOG, None, 0, -1), "tickSpacing"),
        (V3, replaced(V3_LOG, None, 1, 1 << 160), "pool"),
        (V4, replaced(V4_LOG, None, 0, 1 << 24), "fee"),
        (V4, replaced(V4_LOG, None, 1, 1 << 15), "tickSpacing"),
        (V4, replaced(V4_LOG, None, 2, 1 << 160), "hooks"),
        (VAULT, replaced(VAULT_LOG, None, 0, 3), "specialization"),
        (VAULT, replaced(VAULT_LOG, 2, 0, 1 << 160), "poolAddress"),
        (AERODROME, replaced(AERODROME_LOG, 3, 0, 2), "stable"),
    ],
)
def test_a_word_that_its_type_does_not_hold_is_malformed(factory: Factory, log: Log, field: str) -> None:
    with pytest.raises(MalformedLogError) as caught:
        factory.read(log)
    assert caught.value.field == field


@pytest.mark.parametrize(("factory", "log"), REAL, ids=IDS)
def test_another_number_of_words_is_another_event(factory: Factory, log: Log) -> None:
    for strange in (
        msgspec.structs.replace(log, topics=log.topics[:-1]),
        msgspec.structs.replace(log, topics=(*log.topics, log.topics[0])),
        msgspec.structs.replace(log, data=log.data + "00" * 32),
        msgspec.structs.replace(log, data=log.data[:-2]),
        msgspec.structs.replace(log, data="0x"),
    ):
        with pytest.raises(MalformedLogError):
            factory.read(strange)


def test_without_a_rule_the_factory_is_asked_for_these_very_tokens() -> None:
    v2, v3 = UniswapV2Factory(V2.address, None), UniswapV3Factory(V3.address, None)
    solidly = SolidlyFactory(AERODROME.address, None)
    stable = replaced(AERODROME_LOG, 3, 0, 1)
    asked = [v2.question(v2.read(V2_LOG)), v3.question(v3.read(V3_LOG)), solidly.question(solidly.read(stable))]
    signatures = (b"getPair(address,address)", b"getPool(address,address,uint24)", b"getPool(address,address,bool)")
    arguments: tuple[list[int | str], ...] = ([USDC, WETH], [USDC, WETH, 500], [*AERODROME_LOG.topics[1:3], 1])
    makers: tuple[Factory, ...] = (v2, v3, solidly)
    for call, factory, signature, words in zip(asked, makers, signatures, arguments, strict=True):
        assert call is not None
        assert call.to == factory.address
        assert call.data.hex() == keccak_hex(signature)[2:10] + "".join(word(one) for one in words)
    assert [v2.proof, v3.proof, solidly.proof] == ["getPair", "getPool", "the factory"]


def test_solidlys_first_event_keeps_stable_in_its_data() -> None:
    solidly = SolidlyFactory(AERODROME.address, None)
    log = event(solidly, SOLIDLY_PAIR_CREATED, [USDC, WETH], [1, "0x" + "ab" * 20, 7])
    assert SolidlyFactory(AERODROME.address, None).count_question is None
    creation = solidly.read(log)
    question = solidly.question(creation)
    assert question is not None
    assert question.data[:4].hex() == keccak_hex(b"getPair(address,address,bool)")[2:10]
    AERODROME.read(AERODROME_LOG)
    assert (creation.is_stable, creation.pool, creation.ordinal) == (True, "0x" + "ab" * 20, 7)
    assert solidly.count_question is not None
    assert AERODROME.count_question is not None
    assert solidly.count_question.data != AERODROME.count_question.data


def test_a_proof_names_its_rule() -> None:
    assert V2.proof == f"create2 {V2_HASH}"
    assert V3.proof == f"create2 {V3_HASH} by {V3.address}"
    assert AERODROME.proof.startswith("create2 0x")
    assert V4.proof == VAULT.proof == "id"


V3_VAULT = BalancerV3Vault(address("0xbA1333333333a1BA1108E8412f11850A5C319bA9"))
HEAD = [21 * 32, 10**15, 1_900_000_000, *(0,) * 18]
REGISTERED = event(
    V3_VAULT,
    V3_POOL_REGISTERED,
    ["0x" + "ab" * 20, "0x" + "fa" * 20],
    [*HEAD, 2, USDC, 0, 0, 0, WETH, 1, "0x" + "cd" * 20, 1],
)


def test_balancer_v3s_event_tells_pool_and_tokens() -> None:
    """Against the compiled vault: tests/conformance/chain/test_discovered_forks.py."""
    creation = V3_VAULT.read(REGISTERED)
    assert (creation.pool, creation.tokens, creation.flaw) == ("0x" + "ab" * 20, (USDC, WETH), "")
    assert V3_VAULT.question(creation) is None
    assert V3_VAULT.proof == "vault"


@pytest.mark.parametrize(
    "strange",
    [
        msgspec.structs.replace(REGISTERED, topics=REGISTERED.topics[:-1]),
        msgspec.structs.replace(REGISTERED, data=REGISTERED.data + "00" * 32),
        msgspec.structs.replace(REGISTERED, data=REGISTERED.data[:-2]),
        msgspec.structs.replace(REGISTERED, data="0x"),
        replaced(REGISTERED, None, 0, 22 * 32),
        replaced(REGISTERED, None, 21, 3),
        replaced(REGISTERED, None, 21, 1 << 255),
        replaced(REGISTERED, None, 22, 1 << 160),
        replaced(REGISTERED, 1, 0, 1 << 160),
        event(V3_VAULT, V3_POOL_REGISTERED, [1, 2], [*HEAD, 0]),
        event(V3_VAULT, V3_POOL_REGISTERED, [1, 2], [*HEAD, 1, USDC, 0, 0, 0]),
    ],
)
def test_another_form_of_balancer_v3s_event_is_malformed(strange: Log) -> None:
    with pytest.raises(MalformedLogError):
        V3_VAULT.read(strange)
