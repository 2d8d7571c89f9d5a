import asyncio
from itertools import permutations

import pytest
from tests.unit.devnet.conftest import SEED
from tests.unit.devnet.quotes import quote, units

from headrace.devnet.deployer import Deployer
from headrace.devnet.driver import Driver
from headrace.devnet.mirror import Mirror
from headrace.devnet.world import Devnet

PROBE_USD = 500.0


@pytest.fixture(scope="module")
def driver(devnet: Devnet) -> Driver:
    driven = Driver(devnet, SEED)
    asyncio.run(driven.run(10))
    return driven


def test_a_mirror_kept_by_logs_equals_one_read_from_the_chain(devnet: Devnet, driver: Driver) -> None:
    fresh = Mirror(devnet.rpc, devnet.market)
    for venue in fresh.venues:
        kept, read = (mirror.state(venue.pool.id).reserves(0, 1) for mirror in (driver.mirror, fresh))
        assert kept == pytest.approx(read, rel=1e-12)


@pytest.mark.parametrize("protocol", ["uniswap_v2", "uniswap_v3", "balancer_v2"])
def test_virtual_reserves_give_what_the_contracts_quote(devnet: Devnet, driver: Driver, protocol: str) -> None:
    deployer = Deployer(devnet.rpc)
    for venue in driver.mirror.venues:
        if venue.exchange.protocol != protocol:
            continue
        for path in permutations(range(len(venue.pool.tokens)), 2):
            amount = units(devnet.market, venue.pool.tokens[path[0]], PROBE_USD)
            reserve_in, reserve_out = driver.mirror.state(venue.pool.id).reserves(*path)
            kept = amount * (1 - venue.pool.fee_pips / 1e6)
            received = quote(deployer, venue.exchange, venue.pool, path, amount)
            assert received == pytest.approx(reserve_out * kept / (reserve_in + kept), rel=2e-5)
