"""Prices from the devnet's own feed contract, and from answers that no honest feed gives."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from tests.support.memory_chain import MemoryChain
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.oracles.chainlink.oracle import ChainlinkFeed, ChainlinkOracle
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import Deployer
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.ports.chain import Call
from headrace.ports.oracle import Oracle, Price

TOKEN = Address("0x" + "70" * 20)
OTHER = Address("0x" + "71" * 20)
FEED = Address("0x" + "fe" * 20)
NOW = 1_000_000


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil.start() as running:
        yield running


def refresh_through_node(anvil: Anvil, oracle: ChainlinkOracle) -> BlockHeader:
    async def scenario() -> BlockHeader:
        options = EvmOptions(url=anvil.ws_url, chain_id=ChainId(31337))
        async with EvmChain(options, WallClock()) as chain:
            head = await chain.head()
            await oracle.refresh(chain, head)
            return head

    return asyncio.run(scenario())


def test_a_real_feeds_price_is_exact_and_follows_it(anvil: Anvil) -> None:
    with anvil.connect() as rpc:
        deployer = Deployer(rpc)
        types = ("uint8", "string", "int256")
        feed = deployer.deploy(own_artifact("PriceFeed"), types, 8, "ETH / USD", 2_345_67_890_123)
        coarse = deployer.deploy(own_artifact("PriceFeed"), types, 18, "USDC / USD", 999_999_123_456_789_012)
        deployer.flush()
        oracle = ChainlinkOracle([ChainlinkFeed(TOKEN, feed, 3600), ChainlinkFeed(OTHER, coarse, 3600)])
        port: Oracle = oracle
        assert port.price(TOKEN, NOW) is None
        head = refresh_through_node(anvil, oracle)
        assert port.price(TOKEN, head.timestamp) == Price(2_345_678_901_230_000, head.timestamp)
        assert port.price(OTHER, head.timestamp) == Price(999_999_123_456, head.timestamp)
        deployer.transact(feed, "set(int256)", 100_000_000)
        deployer.transact(coarse, "set(int256)", -1)
        deployer.flush()
        head = refresh_through_node(anvil, oracle)
        assert port.price(TOKEN, head.timestamp) == Price(10**12, head.timestamp)
        assert port.price(OTHER, head.timestamp) is None


def test_an_address_without_code_gives_no_price(anvil: Anvil) -> None:
    oracle = ChainlinkOracle([ChainlinkFeed(TOKEN, FEED, 3600)])
    head = refresh_through_node(anvil, oracle)
    assert oracle.price(TOKEN, head.timestamp) is None


class SayingChain(MemoryChain):
    """Every call gets the next of these answers."""

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        super().__init__()
        self.answers = tuple(answers)

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert [call.data.hex() for call in calls] == ["feaf968c", "313ce567"]
        assert block == self.tip.header.hash
        return self.answers


def words(*values: int) -> bytes:
    return b"".join((value % 2**256).to_bytes(32, "big") for value in values)


def priced(round_data: bytes | None, decimals: bytes | None, now: int = NOW) -> Price | None:
    chain = SayingChain([round_data, decimals])
    header = chain.add(None, []).header
    chain.tip = chain.blocks[header.hash]
    oracle = ChainlinkOracle([ChainlinkFeed(TOKEN, FEED, 3600)])
    asyncio.run(oracle.refresh(chain, _at(header, NOW)))
    return oracle.price(TOKEN, now)


def _at(header: BlockHeader, timestamp: int) -> BlockHeader:
    return msgspec.structs.replace(header, timestamp=timestamp)


GOOD = words(7, 3 * 10**8, NOW - 10, NOW - 10, 7)


def test_a_good_round_has_a_price() -> None:
    assert priced(GOOD, words(8)) == Price(3 * 10**12, NOW - 10)


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_an_answer_that_is_not_positive_is_refused(answer: int) -> None:
    assert priced(words(7, answer, NOW, NOW, 7), words(8)) is None


def test_a_round_in_the_future_of_its_block_is_refused() -> None:
    assert priced(words(7, 1, NOW + 1, NOW + 1, 7), words(0)) is None
    assert priced(words(7, 1, NOW, NOW, 7), words(0)) == Price(10**12, NOW)


def test_a_round_that_never_ended_is_refused() -> None:
    assert priced(words(7, 1, 0, 0, 7), words(0)) is None


@pytest.mark.parametrize("decimals", [37, 255, 2**256 - 1])
def test_absurd_decimals_are_refused(decimals: int) -> None:
    assert priced(GOOD, words(decimals)) is None


def test_a_price_that_rounds_to_nothing_is_refused() -> None:
    assert priced(words(7, 1, NOW, NOW, 7), words(13)) is None
    assert priced(words(7, 19, NOW, NOW, 7), words(13)) == Price(1, NOW)


@pytest.mark.parametrize(
    ("round_data", "decimals"), [(None, words(8)), (GOOD, None), (GOOD[:-1], words(8)), (GOOD, b""), (b"", words(8))]
)
def test_a_contract_that_is_no_feed_gives_no_price(round_data: bytes | None, decimals: bytes | None) -> None:
    assert priced(round_data, decimals) is None


def test_a_price_grows_stale() -> None:
    updated = NOW - 10
    assert priced(GOOD, words(8), updated + 3600) is not None
    assert priced(GOOD, words(8), updated + 3601) is None


def test_a_clock_far_behind_the_chain_gets_no_price() -> None:
    assert priced(GOOD, words(8), NOW - 25) is not None
    assert priced(GOOD, words(8), NOW - 26) is None


def test_a_token_without_feed_has_no_price() -> None:
    assert ChainlinkOracle([]).price(TOKEN, NOW) is None
