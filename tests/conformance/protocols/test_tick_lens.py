"""The lens against single calls, on real pools with many ticks; and where it must give way to them."""

import random
from collections.abc import Sequence

import pytest
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import LocalChain

from headrace.adapters.protocols.tick_lens import TICK_LENS
from headrace.adapters.protocols.uniswap_v3.ticks import (
    SpacedPool,
    initialised_ticks,
    ticks_by_lens,
    ticks_call_by_call,
)
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.recipe.uniswap_v3 import deploy_uniswap_v3, v3_pool_address
from headrace.errors import MalformedPoolError, RpcError
from headrace.model.address import Address, Hash32, PoolId
from headrace.ports.chain import CREATION, Call, Chain

SEED = 20_260_110
MINTS = {100: 40, 500: 400, 3000: 40, 10_000: 40}  # at 500 pips the ticks do not fit one answer
SPACINGS = {100: 1, 500: 10, 3000: 60, 10_000: 200}
ODD_PLACE = Address("0x" + "cd" * 20)


class Counting:
    """The chain behind it, counting calls; refuses creation code if it is told to."""

    def __init__(self, chain: Chain, *, refuses: bool = False) -> None:
        self.calls = 0
        self._chain = chain
        self._refuses = refuses

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if self._refuses and any(call.to == CREATION for call in calls):
            raise RpcError("eth_call", -32602, "missing field `to`")
        self.calls += len(calls)
        return await self._chain.call_many(calls, block)


@pytest.fixture(scope="module")
def pools(local_chain: LocalChain) -> list[SpacedPool]:
    deployer, (token0, token1, *_) = local_chain.deployer, local_chain.tokens
    exchange = deploy_uniswap_v3(deployer, local_chain.weth)
    trader = deployer.deploy(own_artifact("ConcentratedTrader"))
    for token in (token0, token1):
        deployer.transact(token, "transfer(address,uint256)", trader, 1 << 190)
    draw, made = random.Random(SEED), []
    for fee, spacing in SPACINGS.items():
        deployer.transact(exchange.factory, "createPool(address,address,uint24)", token0, token1, fee)
        pool = v3_pool_address(exchange.factory, token0, token1, fee)
        deployer.transact(pool, "initialize(uint160)", 2**96)
        for _ in range(MINTS[fee]):
            ends = (-887_272 // spacing + 1, 887_272 // spacing)
            lower, upper = sorted(draw.sample(range(*ends) if draw.random() < 0.3 else range(-1500, 1500), 2))
            ticks = (lower * spacing, upper * spacing)
            deployer.transact(trader, "mint(address,int24,int24,uint128)", pool, *ticks, draw.randrange(1, 10**15))
        made.append(SpacedPool(PoolId(pool), pool, spacing))
    deployer.flush()
    return made


def test_the_lens_is_what_its_source_compiles_to() -> None:
    assert own_artifact("TickLens").creation_code == TICK_LENS.hex()


def test_the_lens_sees_what_single_calls_see_in_far_fewer(local_chain: LocalChain, pools: list[SpacedPool]) -> None:
    block = local_chain.head().hash
    for pool in pools:

        async def both(chain: Chain, pool: SpacedPool = pool) -> tuple[int, int]:
            one_by_one, at_once = Counting(chain), Counting(chain)
            slow = await ticks_call_by_call(one_by_one, [pool], block)  # type: ignore[arg-type]  # all that is used
            fast = await ticks_by_lens(at_once, [pool], block)  # type: ignore[arg-type]
            assert fast == slow
            assert len(slow[0]) >= MINTS[next(fee for fee, one in SPACINGS.items() if one == pool.tick_spacing)]
            return one_by_one.calls, at_once.calls

        many, few = local_chain.through_chain(both)
        print(f"spacing {pool.tick_spacing}: {many} calls, {few} by the lens")  # noqa: T201 - the figure it is for
        assert few <= (3 if pool.tick_spacing != 10 else 4)
        assert pool.tick_spacing != 10 or few > 1, "every answer held all: nothing was resumed"


def test_pools_are_seen_together(local_chain: LocalChain, pools: list[SpacedPool]) -> None:
    block = local_chain.head().hash
    together = local_chain.through_chain(lambda chain: ticks_by_lens(chain, pools, block))
    for pool, ticks in zip(pools, together, strict=True):
        alone = local_chain.through_chain(lambda chain, one=pool: ticks_by_lens(chain, [one], block))  # type: ignore[misc]
        assert alone == [ticks]


def test_a_node_that_refuses_creation_code_is_asked_call_by_call(
    local_chain: LocalChain, pools: list[SpacedPool]
) -> None:
    block, some = local_chain.head().hash, pools[2:]

    async def refused(chain: Chain) -> None:
        deaf = Counting(chain, refuses=True)
        assert await ticks_by_lens(deaf, some, block) == [None, None]  # type: ignore[arg-type]
        assert await initialised_ticks(deaf, some, block) == await ticks_call_by_call(chain, some, block)  # type: ignore[arg-type]
        assert deaf.calls > 100

    local_chain.through_chain(refused)


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "tickBitmap"),
        ({"tickBitmap(int16)": words(1, 2)}, "tickBitmap"),
        ({"tickBitmap(int16)": words(1)}, "ticks"),
        ({"tickBitmap(int16)": words(1), "ticks(int24)": words(1, 2)}, "ticks"),
        ({"tickBitmap(int16)": words(1), "ticks(int24)": words(1 << 128, 0, 0, 0, 0, 0, 0, 1)}, "ticks"),
    ],
)
def test_a_pool_that_answers_otherwise_is_refused_by_field_and_spoils_no_other(
    local_chain: LocalChain, pools: list[SpacedPool], answers: dict[str, bytes], field: str
) -> None:
    local_chain.rpc.request("anvil_setCode", ODD_PLACE, answering(answers))
    odd, block = SpacedPool(PoolId(ODD_PLACE), ODD_PLACE, 200), local_chain.head().hash
    seen = local_chain.through_chain(lambda chain: ticks_by_lens(chain, [pools[3], odd], block))
    assert seen[1] is None
    assert seen[0]
    with pytest.raises(MalformedPoolError) as caught:
        local_chain.through_chain(lambda chain: initialised_ticks(chain, [odd], block))
    assert (caught.value.pool, caught.value.field) == (ODD_PLACE, field)
