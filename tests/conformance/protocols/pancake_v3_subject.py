"""PancakeSwap v3 for the suite: the pool as published in @pancakeswap/v3-core 1.0.2, asked through the v3 probe.

A pool asks whoever creates it for its parameters. Here that is an account with code that answers them; the factory is
another that names the deployer as owner, so that the protocol's share of the fee can be set.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.uniswap_v3_pools import (
    PROBE,
    PROBE_CODE,
    Answered,
    Asked,
    ask_probe,
    dense_positions,
    gapped_positions,
)
from tests.conformance.protocols.uniswap_v3_subject import V3Subject

from headrace.adapters.protocols.uniswap_v3 import UniswapV3, logs
from headrace.adapters.protocols.uniswap_v3.state import PROTOCOL
from headrace.adapters.protocols.words import call_data
from headrace.devnet.artifacts import npm_artifact, own_artifact
from headrace.devnet.deployer import TRANSACTION_GAS_LIMIT, create_address
from headrace.devnet.recipe.uniswap_v3 import V3Position
from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN, sqrt_price_at_tick_up
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool

SEED = 20_260_109
TIERS = {100: 1, 500: 10, 2500: 50, 10_000: 200}
ARTIFACT = "@pancakeswap/v3-core/artifacts/contracts/PancakeV3Pool.sol/PancakeV3Pool.json"
MAKER, FACTORY = Address("0x" + "3a" * 20), Address("0x" + "3b" * 20)
CALLBACK_SELECTOR = call_data("pancakeV3SwapCallback(int256,int256,bytes)").hex()
LIQUIDITY_UNITS = 10**16
TOKENS_HELD = 1 << 190
LOW_TICK = -880_000  # where the square root of the price has few digits


class Spec(NamedTuple):
    """The positions that a pool began with."""

    positions: tuple[V3Position, ...]


class PancakePools:
    """Every tier with dense ticks and with gaps; every second pool gives the protocol a share of its fee."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.pools: list[Pool] = []
        self.specs: list[Spec] = []
        self._creation_code = npm_artifact(ARTIFACT).creation_code
        rpc, deployer = chain.rpc, chain.deployer
        rpc.request("anvil_setCode", PROBE, PROBE_CODE % CALLBACK_SELECTOR)
        rpc.request("anvil_setCode", FACTORY, answering({"owner()": words(int(deployer.sender, 16))}))
        rpc.request("anvil_setBalance", MAKER, hex(10**20))
        rpc.request("anvil_impersonateAccount", MAKER)
        self.trader = deployer.deploy(own_artifact("ConcentratedTrader"))
        for token in chain.tokens:
            deployer.transact(token, "transfer(address,uint256)", self.trader, TOKENS_HELD)
        rng = random.Random(SEED)
        for fee, spacing in TIERS.items():
            centre = rng.randint(-700, 700) * spacing
            positions = dense_positions(rng, centre, spacing)
            self._create(fee, sqrt_price_at_tick_up(centre) + 12_345, positions if spacing == 1 else positions[:-1])
            if spacing > 1:
                self._create(fee, sqrt_price_at_tick_up(centre), gapped_positions(rng, centre, spacing))
        self._create(2500, sqrt_price_at_tick_up(LOW_TICK + 77), [V3Position(LOW_TICK, LOW_TICK + 5000, 0, 0)], 2**100)
        self._create(10_000, 2**96, [])
        for i, pool in enumerate(self.pools[::2]):
            deployer.transact(pool.address, "setFeeProtocol(uint32,uint32)", 1000 + 400 * i, 4000 - 300 * i)
        deployer.flush()

    def ask(self, asked: Sequence[Asked]) -> list[Answered | None]:
        """What the pools would do on the head, None where they revert."""
        return ask_probe(self.chain, asked)

    def _create(
        self, fee: int, sqrt_price_x96: int, positions: Sequence[V3Position], unit: int = LIQUIDITY_UNITS
    ) -> None:
        deployer, tokens = self.chain.deployer, self.chain.tokens
        taken = {pool.tokens for pool in self.pools if pool.fee_pips == fee}
        token0, token1 = next((a, b) for i, a in enumerate(tokens) for b in tokens[i + 1 :] if (a, b) not in taken)
        address = self._deploy(token0, token1, fee)
        deployer.transact(address, "initialize(uint160)", sqrt_price_x96)
        for i, one in enumerate(positions):
            signature = "mint(address,int24,int24,uint128)"
            liquidity = unit * (1 + i % 7) + i
            deployer.transact(self.trader, signature, address, one.tick_lower, one.tick_upper, liquidity)
        deployer.flush()
        self.specs.append(Spec(tuple(positions)))
        self.pools.append(Pool(PoolId(address), address, PROTOCOL, "pancakeswap_v3", (token0, token1), fee))

    def _deploy(self, token0: Address, token1: Address, fee: int) -> Address:
        rpc = self.chain.rpc
        parameters = words(int(FACTORY, 16), int(token0, 16), int(token1, 16), fee, TIERS[fee])
        rpc.request("anvil_setCode", MAKER, answering({"parameters()": parameters}))
        frame = {"from": MAKER, "data": "0x" + self._creation_code, "gas": hex(TRANSACTION_GAS_LIMIT)}
        address = create_address(MAKER, int(str(rpc.request("eth_getTransactionCount", MAKER, "latest")), 16))
        rpc.request("eth_sendTransaction", frame)
        rpc.request("evm_mine")
        assert len(str(rpc.request("eth_getCode", address, "latest"))) > 1000
        return address


class PancakeSubject(V3Subject):
    """Its pools; what is asked of them and the planted faults are Uniswap v3's."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = UniswapV3()
        self.awkward = PancakePools(chain)  # type: ignore[assignment]  # asked in the same way
        self.pools = tuple(self.awkward.pools)
        self.no_pool = chain.tokens[0]
        self._reserves = {(pool.id, token): self._balance(pool, token) for pool in self.pools for token in pool.tokens}
        self._positions: list[tuple[Pool, int, int, int]] = []

    def act(self, draw: random.Random) -> str:
        pool = draw.choice(self.pools[:-2])
        price, tick, *_ = self.chain.deployer.call(pool.address, "slot0()(uint160,int24)")
        assert isinstance(price, int)
        assert isinstance(tick, int)
        kind = draw.choices(("swap", "mint", "burn", "set fee"), (6, 3, 3, 1))[0]
        if kind == "swap":
            return self._swap(draw, pool, price)
        if kind == "burn" and self._positions:
            return self._burn(draw)
        if kind == "set fee":
            shares = draw.choice((0, 1000, 4000)), draw.choice((0, 1500, 3300))
            self.chain.deployer.transact(pool.address, "setFeeProtocol(uint32,uint32)", *shares)
            return kind
        return self._mint(draw, pool, tick)

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {"swap": 30, "swap to a tick": 30, "mint": 20, "burn": 20, "set fee": 5}

    def broken(self, log: Log) -> Iterator[Log]:
        if log.topics[0] != logs.SWAP_OF_PANCAKE:
            yield from super().broken(log)
            return
        cells = [log.data[i : i + 64] for i in range(2, len(log.data), 64)]
        for place, value in ((2, 0), (2, 2**160), (3, 1), (4, 2**23), (4, 887_272), (5, 2**128), (6, 2**200)):
            changed = [*cells[:place], f"{value:064x}", *cells[place + 1 :]]
            yield msgspec.structs.replace(log, data="0x" + "".join(changed))
        yield msgspec.structs.replace(log, topics=(logs.SWAP, *log.topics[1:]))

    def _swap(self, draw: random.Random, pool: Pool, price: int) -> str:
        positions = self.awkward.specs[self.pools.index(pool)].positions
        if draw.random() < 0.6:
            kind, limit, amount = "swap to a tick", sqrt_price_at_tick_up(draw.choice(positions).tick_upper), 2**120
            zero_for_one = limit < price
        else:
            kind, zero_for_one, amount = "swap", draw.random() < 0.5, int(10 ** draw.uniform(3, 17))
            limit = price * 9 // 10 if zero_for_one else price * 11 // 10
        limit = min(max(limit, SQRT_PRICE_MIN + 1), SQRT_PRICE_MAX - 1)
        (done,) = self.awkward.ask([Asked(pool, amount, limit, zero_for_one)])
        if done is None:
            return "swap refused"
        signature = "swap(address,bool,int256,uint160)"
        self.chain.deployer.transact(self.awkward.trader, signature, pool.address, zero_for_one, amount, limit)  # type: ignore[attr-defined]
        return kind

    def _mint(self, draw: random.Random, pool: Pool, tick: int) -> str:
        spacing = TIERS[pool.fee_pips]
        lower = (tick // spacing + draw.randint(-20, 15)) * spacing
        lower = min(max(lower, -800_000 // spacing * spacing), 800_000 // spacing * spacing)
        position = (pool, lower, lower + draw.randint(1, 12) * spacing, int(10 ** draw.uniform(12, 18)))
        self._positions.append(position)
        self._change("mint", position)
        return "mint"

    def _burn(self, draw: random.Random) -> str:
        self._change("burn", self._positions.pop(draw.randrange(len(self._positions))))
        return "burn"

    def _change(self, what: str, position: tuple[Pool, int, int, int]) -> None:
        pool, *terms = position
        trader = self.awkward.trader  # type: ignore[attr-defined]
        self.chain.deployer.transact(trader, f"{what}(address,int24,int24,uint128)", pool.address, *terms)
