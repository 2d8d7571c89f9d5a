"""PancakeSwap v3, Balancer v3 and Solidly from their events to exact quotes, by the commands alone.

Oracles: PancakeSwap's own factory and pools (their deployer is a stand-in of ours: its bytecode is in no package);
Balancer's vault, pools and router, compiled from the published sources. Solidly's factory and pairs are ours with the
same interface: what is quoted is what they answer, which proves nothing about the deployed ones.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.conformance.protocols.balancer_v3_market import SWAP_IN, BalancerV3Market, PoolTerms, swap_arguments
from tests.conformance.protocols.curve_stableswap_subject import CurveStableswapSubject
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.pancake_v3_subject import ARTIFACT as PANCAKE_POOL
from tests.conformance.protocols.pancake_v3_subject import CALLBACK_SELECTOR
from tests.conformance.protocols.uniswap_v3_pools import PROBE, PROBE_CODE, Asked, ask_probe
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

from headrace.app.cli.invocation import invoke
from headrace.app.quote import QuoteRow
from headrace.devnet.abi import encode_call
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import npm_artifact, own_artifact
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.address import Address, Hash32, PoolId, keccak_hex
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool, ProtocolId

PANCAKE_FACTORY = "@pancakeswap/v3-core/artifacts/contracts/PancakeV3Factory.sol/PancakeV3Factory.json"
CODE_AT = Address("0x" + "c0de" * 10)
AMOUNT = "0.001"
DY = "get_dy(int128,int128,uint256)(uint256)"
Way = tuple[Address, Address]


class World:
    """One local chain with empty hands: each test makes its exchange."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.symbols = {token: f"T{i}" for i, token in enumerate((chain.weth, *chain.tokens))}

    def config(self, folder: Path, venues: dict[str, JsonValue]) -> Path:
        self.chain.deployer.flush()
        self.chain.rpc.request("anvil_mine", hex(3))
        tokens = {symbol: token for token, symbol in self.symbols.items()}
        return discovering_config(folder, rpc=self.chain.anvil.ws_url, tokens=tokens, venues=venues)

    def amount(self, token: Address) -> int:
        return int(10 ** (self.chain.decimals[token] - 3))

    def rows(self, capsys: Capture, config: Path, way: Way) -> Sequence[QuoteRow]:
        report = quoted(capsys, config, self.symbols[way[0]], self.symbols[way[1]], AMOUNT)
        assert report.amount_in_wei == self.amount(way[0])
        return report.venues


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield World(LocalChain(anvil, rpc))


def code_hash(creation_code: str) -> Hash32:
    return keccak_hex(bytes.fromhex(creation_code.removeprefix("0x")))


@pytest.mark.parametrize("is_hash_known", [True, False])
def test_pancakeswap_v3_by_its_deployer(world: World, tmp_path: Path, capsys: Capture, *, is_hash_known: bool) -> None:
    chain, deployer = world.chain, world.chain.deployer
    pool_code = npm_artifact(PANCAKE_POOL).creation_code
    chain.rpc.request("anvil_setCode", CODE_AT, "0x" + pool_code)
    maker = deployer.deploy(own_artifact("PancakeDevDeployer"), ("address",), CODE_AT)
    factory = deployer.deploy(npm_artifact(PANCAKE_FACTORY), ("address",), maker)
    trader = deployer.deploy(own_artifact("ConcentratedTrader"))
    chain.rpc.request("anvil_setCode", PROBE, PROBE_CODE % CALLBACK_SELECTOR)
    made: dict[str, Pool] = {}
    for i, (token0, token1) in enumerate(zip(chain.tokens, chain.tokens[1:], strict=False)):
        for token in (token0, token1):
            deployer.transact(token, "transfer(address,uint256)", trader, 10**30)
        fee = (100, 500, 2500)[i]
        get = "createPool(address,address,uint24)"
        pool = deployer.call_address(factory, f"{get}(address)", token0, token1, fee)
        deployer.transact(factory, get, token0, token1, fee)
        deployer.transact(pool, "initialize(uint160)", 2**96 + 12_345)
        deployer.transact(trader, "mint(address,int24,int24,uint128)", pool, -6000, 6000, 10**24)
        made[pool] = Pool(PoolId(pool), pool, ProtocolId("uniswap_v3"), "pancake", (token0, token1), fee)
    venue: dict[str, JsonValue] = {"protocol": "uniswap_v3", "factory": factory, "discover": {"from_block": 0}}
    rule: dict[str, JsonValue] = {"deployer": maker, "init_code_hash": code_hash(pool_code)} if is_hash_known else {}
    config = world.config(tmp_path, {"pancake": {**venue, **rule}})
    assert sound(discovered(capsys, config)) == list(made)
    for one in made.values():
        for down, way in ((True, one.tokens), (False, one.tokens[::-1])):
            (row,) = world.rows(capsys, config, (way[0], way[1]))
            amount = world.amount(way[0])
            (done,) = ask_probe(chain, [Asked(one, amount, extreme_limit(zero_for_one=down), down)])
            assert done is not None
            assert (row.pool, row.amount_out_wei) == (one.id, done.amount_out)


def test_balancer_v3_by_its_vault(world: World, tmp_path: Path, capsys: Capture) -> None:
    chain = world.chain
    market = BalancerV3Market(chain)
    a, b, c, _ = chain.tokens
    terms = (
        PoolTerms((a, b), (1e3, 2.5e6), 3 * 10**15, weights=(50, 50)),
        PoolTerms((a, b, c), (3e5, 1e5, 9e3), 10**12, amplification=5000),
    )
    weighted, stable = (PoolId(market.make(one)) for one in terms)
    hooked = market.make_empty(PoolTerms((b, c), (), 10**15, weights=(50, 50)), (0, 0, 0, 0, 1, 0, 0, 0, 0, 0))
    config = world.config(tmp_path, {"balancer_v3": {"vault": market.vault, "discover": {"from_block": 0}}})
    report = discovered(capsys, config)
    assert sound(report) == [weighted, stable, hooked]
    assert [row.tokens for row in report.venues[0].pools] == [(a, b), (a, b, c), (b, c)]
    for way in ((a, b), (b, a), (b, c)):
        rows = world.rows(capsys, config, way)
        assert {row.pool for row in rows} == ({weighted, stable} if c not in way else {stable})
        for row in rows:
            call = encode_call(SWAP_IN, *swap_arguments(row.pool, way, world.amount(way[0]), 0))
            frame = {"from": chain.deployer.sender, "to": market.router, "data": call}
            (answer,) = chain.call_all([(frame, "latest")])
            assert row.amount_out_wei == (None if answer is None else answer[0])


def test_a_pool_that_two_vaults_know_is_not_followed_for_the_one_that_it_does_not_name(
    world: World, tmp_path: Path, capsys: Capture
) -> None:
    """Whoever makes a pool may register it where he likes: it trades in the one that it names itself."""
    theirs, ours = BalancerV3Market(world.chain), BalancerV3Market(world.chain)
    a, b, *_ = world.chain.tokens
    terms = PoolTerms((a, b), (1e3, 2.5e6), 3 * 10**15, weights=(50, 50))
    stranger, own = theirs.make(terms), PoolId(ours.make(terms))
    ours.register(stranger, terms)
    config = world.config(tmp_path, {"balancer_v3": {"vault": ours.vault, "discover": {"from_block": 0}}})
    assert sound(discovered(capsys, config)) == [own, stranger]
    assert [row.pool for row in world.rows(capsys, config, (a, b))] == [own]


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize("is_hash_known", [True, False])
def test_a_factory_with_solidlys_interface(
    world: World, tmp_path: Path, capsys: Capture, *, is_later: bool, is_hash_known: bool
) -> None:
    chain, deployer = world.chain, world.chain.deployer
    factory = deployer.deploy(own_artifact("SolidlyDevFactory"), ("bool",), is_later)
    specs = [(*pair, kind) for pair in zip(chain.tokens, chain.tokens[1:], strict=False) for kind in (True, False)]
    made = [solidly_pair(chain, factory, *spec) for spec in specs]
    twin = solidly_pair(chain, factory, *specs[0])  # that no real factory makes
    venue: dict[str, JsonValue] = {"protocol": "solidly", "factory": factory, "discover": {"from_block": 0}}
    if is_hash_known:
        venue["init_code_hash"] = code_hash(own_artifact("SolidlyDevPair").creation_code)
    config = world.config(tmp_path, {"aerodrome": venue})
    with running_in_thread(RangeProxy(chain.anvil.port, 3, QUICKNODE)) as proxy:
        bad = through(config, proxy.ws_url)
        assert killed_while_discovering(bad, 6) > 0
        proxy.strike(Fault.CUT, "eth_getLogs")
        report = discovered(capsys, bad)
    assert sound(report) == made
    assert refused(report) == {twin: refused(report)[twin]}
    assert ("by the venue's init_code_hash" if is_hash_known else "its factory answers") in refused(report)[twin]
    for token0, token1, _ in specs[::2]:
        rows = world.rows(capsys, config, (token0, token1))
        assert len(rows) == 2
        for row in rows:
            signature = "getAmountOut(uint256,address)(uint256)"
            told = deployer.call_integer(Address(row.pool), signature, world.amount(token0), token0)
            assert row.amount_out_wei == told


def solidly_pair(chain: LocalChain, factory: Address, token0: Address, token1: Address, is_stable: bool) -> Address:  # noqa: FBT001 - as the contract takes it
    deployer, create = chain.deployer, "createPair(address,address,bool)"
    pair = deployer.call_address(factory, f"{create}(address)", token0, token1, is_stable)
    deployer.transact(factory, create, token0, token1, is_stable)
    for token in (token0, token1):
        deployer.transact(token, "transfer(address,uint256)", pair, 10 ** (chain.decimals[token] + 6))
    deployer.transact(pair, "mint(address)", deployer.sender)
    deployer.flush()
    return pair


def test_a_list_with_curves_interface(world: World, tmp_path: Path, capsys: Capture) -> None:
    """List and pools are ours: they prove nothing about Curve's own; the pools' quotes are compared with themselves."""
    deployer = world.chain.deployer
    pools = CurveStableswapSubject(world.chain).pools
    registry = deployer.deploy(own_artifact("CurveDevList"))
    no_pool = world.chain.weth
    for one in (*(pool.address for pool in pools), no_pool):
        deployer.transact(registry, "add(address)", one)
    venue: JsonValue = {"factory": registry, "discover": {"from_block": 0}}
    config = world.config(tmp_path, {"curve_stableswap": venue})
    assert sound(discovered(capsys, config)) == [*(pool.id for pool in pools), no_pool]
    quoted_pools = set()
    for pool in pools:
        way = (pool.tokens[0], pool.tokens[1])
        for row in world.rows(capsys, config, way):
            told = deployer.call_integer(Address(row.pool), DY, *_places(pools, row.pool, way), world.amount(way[0]))
            assert row.amount_out_wei is not None
            assert abs(row.amount_out_wei - told) <= 1  # a view may differ from the swap by the unit it holds back
            quoted_pools.add(row.pool)
    assert quoted_pools == {pool.id for pool in pools}
    deployer.transact(registry, "remove(uint256)", 0)
    deployer.flush()
    assert invoke(["market", "discover", "--config", str(config)]) != 0
    assert "lost pools" in capsys.readouterr().err


def _places(pools: Sequence[Pool], pool: PoolId, way: Way) -> tuple[int, int]:
    tokens = next(one.tokens for one in pools if one.id == pool)
    return tokens.index(way[0]), tokens.index(way[1])


def test_a_node_that_hides_one_of_solidlys_events_is_found_out(world: World, tmp_path: Path, capsys: Capture) -> None:
    factory = world.chain.deployer.deploy(own_artifact("SolidlyDevFactory"), ("bool",), False)
    for token0, token1 in zip(world.chain.tokens, world.chain.tokens[1:], strict=False):
        solidly_pair(world.chain, factory, token0, token1, is_stable=False)
    venue: JsonValue = {"protocol": "solidly", "factory": factory, "discover": {"from_block": 0}}
    config = world.config(tmp_path, {"solidly": venue})
    with running_in_thread(RangeProxy(world.chain.anvil.port, 1 << 20, QUICKNODE)) as proxy:
        proxy.strike(Fault.HIDE_LOG, "eth_getLogs", log=1)
        assert invoke(["market", "discover", "--config", str(through(config, proxy.ws_url))]) != 0
    assert "the node leaves logs out" in capsys.readouterr().err
    assert len(sound(discovered(capsys, config))) == 3
