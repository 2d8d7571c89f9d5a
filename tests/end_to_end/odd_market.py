"""A devnet whose market has pools that no agent should trade, with a configuration that names them.

The empty pair, the pair of a token without `decimals()` and the pairs of a token that keeps a part of a transfer are
made with the published bytecode of Uniswap v2. Between the last two there is a gap of a tenth, which nobody can have.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tests.end_to_end.background_devnet import BackgroundDevnet

from headrace.app.cli.devnet_files import write_devnet_files
from headrace.devnet.anvil import AnvilOptions
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.driver import Driver
from headrace.devnet.market import Market
from headrace.devnet.recipe.tokens import approve_all
from headrace.devnet.recipe.uniswap_v2 import UniswapV2, V2PoolSpec, create_v2_pool, v2_pool_address
from headrace.devnet.state_dir import RunningDevnet
from headrace.devnet.world import Devnet
from headrace.model.address import Address, checksum

_UNIT = 10**18
_TRANSFER_FEE_BPS = 200
_HISTORY_SECONDS = 600


class OddPools(msgspec.Struct, frozen=True):
    """Addresses; `with_fee` are two pairs of `fee_token`, `foreign` is a contract that is no pool."""

    empty: Address
    without_decimals: Address
    with_fee: tuple[Address, Address]
    foreign: Address
    fee_token: Address


@contextlib.contextmanager
def odd_devnet_running(folder: Path, block_seconds: float) -> Iterator[tuple[BackgroundDevnet, OddPools]]:
    options = AnvilOptions(genesis_timestamp=int(time.time()) - _HISTORY_SECONDS)
    with Devnet.start(1, options) as devnet:
        odd = _deploy(devnet)
        running = RunningDevnet(
            pid=os.getpid(),
            http_url=devnet.anvil.http_url,
            ws_url=devnet.anvil.ws_url,
            ipc_path=None,
            block_time_seconds=block_seconds,
            market=devnet.market,
        )
        config = write_devnet_files(running, folder)
        _name_in(config, devnet.market, odd)
        with _driven(devnet, block_seconds):
            yield BackgroundDevnet(running, folder, config), odd


def _deploy(devnet: Devnet) -> OddPools:
    market, deployer = devnet.market, Deployer(devnet.rpc)
    first, second = (e for e in market.exchanges if e.protocol == "uniswap_v2")
    weth = market.wrapped_native
    silent = deployer.deploy(own_artifact("NoDecimalsToken"), ("uint256",), 1000 * _UNIT)
    types = ("string", "string", "uint256", "uint256")
    greedy = deployer.deploy(own_artifact("FeeToken"), types, "Greedy", "GREED", 1000 * _UNIT, _TRANSFER_FEE_BPS)
    deployer.transact(weth, "deposit()", value_wei=100 * _UNIT)
    approve_all(deployer, (weth, silent, greedy), (first.router, second.router))
    one, two = (UniswapV2(exchange.factory, exchange.router) for exchange in (first, second))
    without_decimals = create_v2_pool(deployer, one, V2PoolSpec(weth, silent, 10 * _UNIT, 10 * _UNIT))
    with_fee = (
        create_v2_pool(deployer, one, V2PoolSpec(weth, greedy, 20 * _UNIT, 20 * _UNIT)),
        create_v2_pool(deployer, two, V2PoolSpec(weth, greedy, 20 * _UNIT, 22 * _UNIT)),
    )
    tokens = {token.symbol: token.address for token in market.tokens}
    deployer.transact(one.factory, "createPair(address,address)", tokens["LINK"], tokens["UNI"])
    deployer.flush()
    empty = v2_pool_address(one.factory, tokens["LINK"], tokens["UNI"])
    return OddPools(empty, without_decimals, with_fee, foreign=tokens["AAVE"], fee_token=greedy)


def _name_in(config: Path, market: Market, odd: OddPools) -> None:
    first, second = (e for e in market.exchanges if e.protocol == "uniswap_v2")
    text = config.read_text()
    for exchange, added in (
        (first, (odd.empty, odd.without_decimals, odd.with_fee[0], odd.foreign)),
        (second, (odd.with_fee[1],)),
    ):
        line = f"        - '{checksum(exchange.pools[0].address)}'\n"
        assert text.count(line) == 1
        text = text.replace(line, line + "".join(f"        - '{checksum(pool)}'\n" for pool in added))
    config.write_text(text)


@contextlib.contextmanager
def _driven(devnet: Devnet, block_seconds: float) -> Iterator[None]:
    loop, is_over = asyncio.new_event_loop(), asyncio.Event()
    driver = Driver(devnet, seed=1)
    thread = threading.Thread(
        target=loop.run_until_complete, args=(driver.run_clock(block_seconds, is_over),), name="driver"
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join(30)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
