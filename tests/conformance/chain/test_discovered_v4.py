"""Uniswap v4 from `Initialize` events to exact quotes, by the commands alone: no pool is listed anywhere.

Oracle: the published PoolManager's bytecode, which answers each swap through a probe.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.uniswap_v4_pools import (
    FEE_HOOK,
    QUIET_HOOK,
    SWAP_HOOK,
    Asked,
    AwkwardPools,
    PoolSpec,
    Position,
    put_hook,
)
from tests.support.discovered_config import (
    Capture,
    discovered,
    discovering_config,
    killed_while_discovering,
    quoted,
    refused,
    sound,
    through,
)
from tests.support.node_proxy import Fault, running_in_thread
from tests.support.range_proxy import QUICKNODE, RangeProxy

from headrace.adapters.protocols.uniswap_v4 import PoolKey
from headrace.adapters.protocols.uniswap_v4.key import DYNAMIC_FEE
from headrace.app.cli.invocation import invoke
from headrace.devnet.anvil import Anvil
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.address import ZERO_ADDRESS, Address, PoolId

QUIET_BLOCKS = 40


class World:
    """Pools of all sorts in one manager, and a configuration that knows the manager alone."""

    def __init__(self, chain: LocalChain, folder: Path) -> None:
        self.chain = chain
        self.awkward = AwkwardPools(chain, 5)
        put_hook(chain, SWAP_HOOK)
        put_hook(chain, FEE_HOOK, "FeeTakingHook", self.awkward.exchange.manager)
        low, high = chain.tokens[:2]
        self.refused = {
            PoolKey(low, high, 3000, 60, SWAP_HOOK): "(BEFORE_SWAP)",
            PoolKey(low, high, 3000, 60, FEE_HOOK): "(AFTER_SWAP, AFTER_SWAP_RETURNS_DELTA)",
            PoolKey(low, high, DYNAMIC_FEE, 60, QUIET_HOOK): "it is dynamic",
        }
        for key in self.refused:
            self.awkward.create(PoolSpec(key, 2**96, (Position(-600, 600, 10**15),)))
        chain.deployer.flush()
        chain.rpc.request("anvil_mine", hex(QUIET_BLOCKS))
        self.keys: dict[PoolId, PoolKey] = {s.key.id: s.key for s in self.awkward.specs if s.sqrt_price_x96}
        self.symbols = {token: f"T{i}" for i, token in enumerate((chain.weth, *chain.tokens))}
        self.decimals = {**chain.decimals, ZERO_ADDRESS: 18}
        self.config = self.configured(folder)

    def configured(self, folder: Path) -> Path:
        return discovering_config(
            folder,
            rpc=self.chain.anvil.ws_url,
            tokens={symbol: token for token, symbol in self.symbols.items()},
            venues={"uniswap_v4": {"vault": self.awkward.exchange.manager, "discover": {"from_block": 0}}},
        )

    def paid(self, pool: PoolId, token_in: Address, amount: int) -> int | None:
        """What the manager pays for exactly that amount; None where it would not take all of it."""
        key = self.keys[pool]
        down = token_in == key.currency0
        (done,) = self.awkward.ask([Asked(key, amount, extreme_limit(zero_for_one=down), down)])
        return None if done is None or done.amount_in != amount else done.amount_out


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield World(LocalChain(anvil, rpc), tmp_path_factory.mktemp("v4"))


def test_every_initialised_pool_is_found_the_refused_ones_with_their_reason(world: World, capsys: Capture) -> None:
    report = discovered(capsys, world.config)
    assert set(sound(report)) == set(world.keys)
    assert {key.hooks for key in world.keys.values()} == {ZERO_ADDRESS, QUIET_HOOK}
    flaws = refused(report)
    assert set(flaws) == {key.id for key in world.refused}
    for key, why in world.refused.items():
        assert why in flaws[key.id]
    (venue,) = report.venues
    shown = {row.pool: row.hooks for row in venue.pools}
    assert shown == {key.id: None if key.hooks == ZERO_ADDRESS else key.hooks for key in _all(world)}
    assert not report.unusable_tokens
    assert {t.address: (t.symbol, t.decimals) for t in report.tokens}[ZERO_ADDRESS] == ("native", 18)


def _all(world: World) -> list[PoolKey]:
    return [*world.keys.values(), *world.refused]


def test_what_was_found_is_quoted_as_the_manager_swaps_it(world: World, capsys: Capture) -> None:
    discovered(capsys, world.config)
    counts, seen = {True: 0, False: 0}, set()
    names = {**world.symbols, ZERO_ADDRESS: "native"}
    for pair in {(key.currency0, key.currency1) for key in world.keys.values()}:
        for token_in, token_out in (pair, pair[::-1]):
            report = quoted(capsys, world.config, names[token_in], names[token_out], "0.001")
            amount = 10 ** (world.decimals[token_in] - 3)
            assert report.amount_in_wei == amount
            for row in report.venues:
                assert row.amount_out_wei == world.paid(row.pool, token_in, amount), row
                seen.add(row.pool)
                counts[row.amount_out_wei is not None] += 1
    print("pools", len(seen), "quotes", counts[True], "refusals", counts[False])  # noqa: T201 - what was reached
    assert seen == set(world.keys)
    assert counts[True] >= 30
    assert counts[False] >= 4


def test_killed_again_and_again_then_over_a_bad_node_it_finds_the_same(
    world: World, tmp_path: Path, capsys: Capture
) -> None:
    config = world.configured(tmp_path)
    with running_in_thread(RangeProxy(world.chain.anvil.port, 2, QUICKNODE)) as proxy:
        bad = through(config, proxy.ws_url)
        kept = [killed_while_discovering(bad, lines) for lines in (8, 10, 6)]
        assert kept == sorted(kept)
        assert kept[0] > 0
        for fault in (Fault.CUT, Fault.DUPLICATE, Fault.CUT):
            proxy.strike(fault, "eth_getLogs")
        report = discovered(capsys, bad)
        assert proxy.taken == {Fault.CUT: 2, Fault.DUPLICATE: 1}
        assert proxy.ranges_refused
    straight = discovered(capsys, world.config)
    assert report.venues[0].pools == straight.venues[0].pools
    assert set(sound(report)) == set(world.keys)


def test_an_answer_that_is_no_json_ends_it_in_one_sentence_and_the_next_run_goes_on(
    world: World, tmp_path: Path, capsys: Capture
) -> None:
    config = world.configured(tmp_path)
    with running_in_thread(RangeProxy(world.chain.anvil.port, 5, QUICKNODE)) as proxy:
        bad = through(config, proxy.ws_url)
        proxy.strike(Fault.CORRUPT, "eth_getLogs")
        assert invoke(["market", "discover", "--config", str(bad)]) != 0
        assert capsys.readouterr().err.splitlines()[-1].startswith("headrace: ")
        assert set(sound(discovered(capsys, bad))) == set(world.keys)
