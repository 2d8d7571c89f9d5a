import asyncio
import statistics
from collections import defaultdict
from collections.abc import Iterator

import msgspec
import pytest

from headrace.devnet.driver import BlockReport, Driver
from headrace.devnet.mirror import Mirror
from headrace.devnet.world import Devnet
from headrace.model.address import Address, PoolId

BLOCKS = 60
GAS = 90_000  # of a cycle, and again for each of its hops
OWN_CAPITAL_USD = 5_000


class Edge(msgspec.Struct, frozen=True):
    token_out: Address
    reserve_in: float
    reserve_out: float
    kept: float
    pool: PoolId
    protocol: str


class Cycle(msgspec.Struct, frozen=True):
    protocols: tuple[str, ...]
    edge_bps: float
    size_usd: float
    profit_usd: float
    gas_usd: float


def edges(mirror: Mirror) -> dict[Address, list[Edge]]:
    found: dict[Address, list[Edge]] = defaultdict(list)
    for venue in mirror.venues:
        tokens, kept = venue.pool.tokens, 1 - venue.pool.fee_pips / 1e6
        for i, token_in in enumerate(tokens):
            for j, token_out in enumerate(tokens):
                if i != j:
                    reserves = mirror.state(venue.pool.id).reserves(i, j)
                    edge = Edge(token_out, *reserves, kept, venue.pool.id, venue.exchange.protocol)
                    found[token_in].append(edge)
    return found


def paths(graph: dict[Address, list[Edge]], start: Address) -> Iterator[tuple[Edge, ...]]:
    for first in graph[start]:
        for second in graph[first.token_out]:
            if second.pool == first.pool:
                continue
            if second.token_out == start:
                yield first, second
                continue
            for third in graph[second.token_out]:
                if third.token_out == start and third.pool not in (first.pool, second.pool):
                    yield first, second, third


def measure(path: tuple[Edge, ...], unit_usd: float, report: BlockReport) -> Cycle | None:
    """A chain of constant-product hops composes to x -> n x / (d + c x), which is best at (sqrt(n d) - d) / c."""
    n, d, c = 1.0, 1.0, 0.0
    for edge in path:
        n, d, c = (
            edge.reserve_out * edge.kept * n,
            edge.reserve_in * d,
            edge.reserve_in * c + edge.kept * n,
        )
    if n <= d:
        return None
    size = ((n * d) ** 0.5 - d) / c
    profit = n * size / (d + c * size) - size
    gas_usd = GAS * (1 + len(path)) * report.base_fee_wei * 1.1 / 1e18 * report.fair_usd["WETH"]
    protocols = tuple(edge.protocol for edge in path)
    return Cycle(protocols, (n / d - 1) * 1e4, size * unit_usd, profit * unit_usd, gas_usd)


def cycles(devnet: Devnet, driver: Driver, report: BlockReport) -> list[Cycle]:
    graph, found = edges(driver.mirror), []
    for symbol in ("WETH", "USDC", "DAI"):
        token = devnet.market.token(symbol)
        unit_usd = report.fair_usd[symbol] / 10.0**token.decimals
        found += [measure(path, unit_usd, report) for path in paths(graph, token.address)]
    return [cycle for cycle in found if cycle is not None]


async def observe(devnet: Devnet, seed: int) -> list[list[Cycle]]:
    driver = Driver(devnet, seed)
    return [cycles(devnet, driver, await driver.step()) for _ in range(BLOCKS)]


@pytest.fixture(scope="module")
def observed(devnet: Devnet) -> list[list[Cycle]]:
    return asyncio.run(observe(devnet, 7))


def paying(observed: list[list[Cycle]]) -> list[Cycle]:
    return [cycle for block in observed for cycle in block if cycle.profit_usd > cycle.gas_usd]


def test_the_median_edge_is_of_the_main_nets_size(observed: list[list[Cycle]]) -> None:
    assert 4 < statistics.median(cycle.edge_bps for block in observed for cycle in block) < 40


def test_several_cycles_exist_after_a_block_and_few_are_worth_their_gas(observed: list[list[Cycle]]) -> None:
    assert statistics.median(len(block) for block in observed) >= 5
    assert len(paying(observed)) < 0.3 * sum(len(block) for block in observed)


@pytest.mark.parametrize(
    "protocols",
    [
        {"uniswap_v2"},
        {"uniswap_v3"},
        {"uniswap_v2", "uniswap_v3"},
    ],
)
def test_within_an_hour_cycles_of_each_kind_pay(observed: list[list[Cycle]], protocols: set[str]) -> None:
    assert any(set(cycle.protocols) == protocols for cycle in paying(observed))


def test_some_paying_cycles_begin_on_balancer(observed: list[list[Cycle]]) -> None:
    assert any(cycle.protocols[0] == "balancer_v2" for cycle in paying(observed))


def test_paying_sizes_lie_below_and_above_the_executors_capital(observed: list[list[Cycle]]) -> None:
    sizes = [cycle.size_usd for cycle in paying(observed)]
    assert min(sizes) < OWN_CAPITAL_USD < max(sizes)
