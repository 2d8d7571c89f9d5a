"""Contracts that look like pairs of Solidly's family and are none: each is refused by name of pool and field."""

from collections.abc import Iterator

import pytest
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import NodeOnly

from headrace.adapters.protocols.solidly import Solidly
from headrace.adapters.protocols.solidly.state import PROTOCOL, FeeSource, SolidlyState
from headrace.devnet.anvil import Anvil
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.solidly import Root
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool

LOW, HIGH = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
PLACE, FACTORY = Address("0x" + "ab" * 20), Address("0x" + "fa" * 20)
DIRTY = (1 << 200) + 5
MILLION = 10**6


def metadata(*reserves: int, scale0: int = MILLION, scale1: int = MILLION, is_stable: int = 0) -> bytes:
    return words(scale0, scale1, *(reserves or (0, 0)), is_stable, int(LOW, 16), int(HIGH, 16))


PAIR = {  # an empty pair answers 0 to every amount, and so does this
    "metadata()": metadata(),
    "factory()": words(int(FACTORY, 16)),
    "getAmountOut(uint256,address)": words(0),
}
KEEPER = {"isPaused()": words(0), "getFee(bool)": words(30)}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeOnly]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield NodeOnly(anvil, rpc)


def put(node: NodeOnly, pair: dict[str, bytes], keeper: dict[str, bytes]) -> None:
    node.rpc.request("anvil_setCode", PLACE, answering(pair))
    node.rpc.request("anvil_setCode", FACTORY, answering(keeper))


def read(node: NodeOnly, dex: Solidly) -> SolidlyState:
    block = node.head().hash
    pool = node.through_chain(lambda chain: dex.describe(chain, "here", PoolId(PLACE), block))
    return node.through_chain(lambda chain: dex.read(chain, [pool], block))[0]


def refused_field(node: NodeOnly, dex: Solidly) -> str:
    with pytest.raises(MalformedPoolError) as caught:
        read(node, dex)
    assert caught.value.pool == PLACE
    return caught.value.field


@pytest.mark.parametrize(
    ("keeper", "pips", "source", "fee"),
    [
        ({"getRealFee(address)": words(3 * 10**15)}, None, FeeSource.OF_PAIR_18_DECIMALS, 3 * 10**15),
        ({"getFee(address,bool)": words(31)}, None, FeeSource.OF_PAIR, 31),
        ({"getFee(bool)": words(32)}, 100, FeeSource.OF_KIND, 32),
        ({}, 100, FeeSource.IN_CODE, 100),
    ],
)
def test_the_fee_is_found_where_the_fork_keeps_it(
    node: NodeOnly, keeper: dict[str, bytes], pips: int | None, source: FeeSource, fee: int
) -> None:
    put(node, PAIR, {"isPaused()": words(0), **keeper})
    state = read(node, Solidly({} if pips is None else {"here": pips}))
    assert (state.terms.fee_source, state.fee, state.terms.root) == (source, fee, Root.SOLIDLY)
    assert state.pool == Pool(PoolId(PLACE), PLACE, PROTOCOL, "here", (LOW, HIGH))
    assert state.read_at == node.head().number


def test_a_factory_that_knows_no_pause_has_none(node: NodeOnly) -> None:
    put(node, PAIR, {"getFee(bool)": words(30)})
    assert not read(node, Solidly()).is_paused
    put(node, PAIR, {**KEEPER, "isPaused()": words(1)})
    assert read(node, Solidly()).is_paused


@pytest.mark.parametrize(
    ("pair", "keeper", "field"),
    [
        ({"metadata()": b""}, {}, "metadata"),
        ({"metadata()": words(1, 2, 3)}, {}, "metadata"),
        ({"metadata()": words(MILLION, MILLION, 0, 0, 0, DIRTY, int(HIGH, 16))}, {}, "tokens"),
        ({"metadata()": words(MILLION, MILLION, 0, 0, 0, int(HIGH, 16), int(LOW, 16))}, {}, "tokens"),
        ({"metadata()": words(MILLION, MILLION, 0, 0, 0, 0, int(LOW, 16))}, {}, "tokens"),
        ({"metadata()": words(MILLION, MILLION, 0, 0, 0, int(LOW, 16), int(LOW, 16))}, {}, "tokens"),
        ({"metadata()": metadata(scale0=18)}, {}, "scales"),
        ({"metadata()": metadata(scale1=0)}, {}, "scales"),
        ({"metadata()": metadata(scale1=10**37)}, {}, "scales"),
        ({"factory()": words(DIRTY)}, {}, "factory"),
        ({"factory()": b""}, {}, "factory"),
        ({}, {"getFee(bool)": words(10_000)}, "fee"),
        ({}, {"getFee(bool)": words(1, 2)}, "fee"),
        ({"getAmountOut(uint256,address)": words(1)}, {}, "getAmountOut"),
        ({"getAmountOut(uint256,address)": b""}, {}, "getAmountOut"),
        ({"metadata()": metadata(10**12, 10**12)}, {}, "getAmountOut"),
        ({"metadata()": metadata(10**12, 10**12, is_stable=1)}, {}, "getAmountOut"),
    ],
)
def test_what_only_looks_like_a_pair_is_not_described(
    node: NodeOnly, pair: dict[str, bytes], keeper: dict[str, bytes], field: str
) -> None:
    put(node, PAIR | pair, KEEPER | keeper)
    assert refused_field(node, Solidly()) == field


def test_a_pair_that_is_told_no_fee_needs_one_from_the_configuration(node: NodeOnly) -> None:
    put(node, PAIR, {})
    assert refused_field(node, Solidly()) == "fee"
    assert refused_field(node, Solidly({"elsewhere": 100})) == "fee"
    assert refused_field(node, Solidly({"here": MILLION})) == "fee"


def test_a_pair_whose_constants_change_is_not_read_again(node: NodeOnly) -> None:
    put(node, PAIR, KEEPER)
    dex = Solidly()
    pool = read(node, dex).pool
    put(node, PAIR | {"metadata()": metadata(is_stable=1)}, KEEPER)
    block = node.head().hash
    with pytest.raises(MalformedPoolError, match="have changed"):
        node.through_chain(lambda chain: dex.read(chain, [pool], block))


def test_a_block_that_the_node_does_not_know_is_no_fault_of_the_pair(node: NodeOnly) -> None:
    put(node, PAIR, KEEPER)
    dex = Solidly()
    pool = read(node, dex).pool
    with pytest.raises(MalformedAnswerError):
        node.through_chain(lambda chain: dex.read(chain, [pool], Hash32("0x" + "77" * 32)))
