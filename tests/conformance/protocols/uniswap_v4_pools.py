"""Pools of Uniswap v4's published bytecode, built to be awkward, and a probe that asks them what a swap would do.

The probe unlocks the manager, passes the swap on when it is called back, and reverts with what the manager answered.
So the manager itself says what a pool takes and gives, at any price limit, without any payment.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from tests.conformance.protocols.local_chain import LocalChain

from headrace.adapters.protocols.uniswap_v4 import PoolKey
from headrace.devnet.abi import encode_arguments, encode_call
from headrace.devnet.artifacts import npm_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.recipe.tokens import approve_all
from headrace.kernels.tick_math import TICK_MAX, sqrt_price_at_tick_up
from headrace.model.address import ZERO_ADDRESS, Address

PROBE = Address("0x00000000000000000000000000000000000b0b04")
PROBE_CODE = (
    "0x5f3560e01c6391dd734614602b57"  # unless this is the callback
    "601436038060145f375f5f825f5f5f3560601c5af1503d5f5f3e3d5ff3"  # call the manager, answer whatever it answered
    "5b60243580" "60445f37" "5f5f825f5f335af1"  # pass the callback's data back to the manager
    "5f52" "3d5f60203e" "3d6020015ffd"  # revert with its success and its answer
)  # fmt: skip
KEY = "(address,address,uint24,int24,address)"
SWAP = f"swap({KEY},(bool,int256,uint160),bytes)"
QUIET_HOOK = Address("0x" + "5e" * 18 + "3f33")  # all flags but the four of a swap
SWAP_HOOK = Address("0x" + "5e" * 18 + "0080")  # BEFORE_SWAP
FEE_HOOK = Address("0x" + "5e" * 18 + "0044")  # AFTER_SWAP and AFTER_SWAP_RETURNS_DELTA
WORD = 256
_CORE, _PERIPHERY = "@uniswap/v4-core/out", "@uniswap/v4-periphery/foundry-out"
_INT128 = 1 << 128
_HALF = 1 << 127


class V4Exchange(msgspec.Struct, frozen=True):
    """Contracts of the exchange, and the three with which v4-core tests itself."""

    manager: Address
    positions: Address
    quoter: Address
    state_view: Address
    liquidity_router: Address
    swap_router: Address
    donate_router: Address


class Position(NamedTuple):
    """Liquidity between two ticks."""

    tick_lower: int
    tick_upper: int
    liquidity: int


class PoolSpec(NamedTuple):
    """A pool to be made; `protocol_fee` is packed, zero for one in the low 12 bits; price 0 leaves it uninitialised."""

    key: PoolKey
    sqrt_price_x96: int
    positions: tuple[Position, ...]
    protocol_fee: int = 0


class Asked(NamedTuple):
    """A swap to be asked for; the amount is negative for an exact output."""

    key: PoolKey
    amount: int
    limit_x96: int
    zero_for_one: bool


class Answered(NamedTuple):
    """What the pool took and paid."""

    amount_in: int
    amount_out: int


def key_tuple(key: PoolKey) -> tuple[str, str, int, int, str]:
    return key.currency0, key.currency1, key.fee_pips, key.tick_spacing, key.hooks


def deploy_uniswap_v4(deployer: Deployer) -> V4Exchange:
    one = ("address",)
    manager = deployer.deploy(npm_artifact(f"{_CORE}/PoolManager.sol/PoolManager.json"), one, deployer.sender)
    deployer.transact(manager, "setProtocolFeeController(address)", deployer.sender)
    periphery = {name: npm_artifact(f"{_PERIPHERY}/{name}.sol/{name}.json") for name in ("V4Quoter", "StateView")}
    positions = deployer.deploy(
        npm_artifact(f"{_PERIPHERY}/PositionManager.sol/PositionManager.json"),
        ("address", "address", "uint256", "address", "address"),
        *(manager, ZERO_ADDRESS, 300_000, ZERO_ADDRESS, ZERO_ADDRESS),
    )
    routers = ("PoolModifyLiquidityTest", "PoolSwapTest", "PoolDonateTest")
    return V4Exchange(
        manager,
        positions,
        *(deployer.deploy(artifact, one, manager) for artifact in periphery.values()),
        *(deployer.deploy(npm_artifact(f"{_CORE}/{name}.sol/{name}.json"), one, manager) for name in routers),
    )


def put_hook(chain: LocalChain, address: Address, name: str = "MockHooks", *manager: Address) -> None:
    """A hook of v4-core's own tests at an address of the wanted flags; the mock answers every call as it must."""
    types = ("address",) * len(manager)
    made = chain.deployer.deploy(npm_artifact(f"{_CORE}/{name}.sol/{name}.json"), types, *manager)
    chain.deployer.flush()
    chain.rpc.request("anvil_setCode", address, chain.rpc.request("eth_getCode", made, "latest"))


class AwkwardPools:
    """Dense ticks, gaps, prices on ticks and near the bounds; fees from nothing to all, hooks, the native currency."""

    def __init__(self, chain: LocalChain, seed: int) -> None:
        self.chain = chain
        self.random = random.Random(seed)
        self.exchange = deploy_uniswap_v4(chain.deployer)
        put_hook(chain, QUIET_HOOK)
        routers = (self.exchange.liquidity_router, self.exchange.swap_router, self.exchange.donate_router)
        approve_all(chain.deployer, chain.tokens, routers)
        chain.rpc.request("anvil_setCode", PROBE, PROBE_CODE)
        self.specs = [*self._tiers(), *self._extremes(), *self._odd()]
        for spec in self.specs:
            self.create(spec)
        chain.deployer.flush()

    def create(self, spec: PoolSpec) -> None:
        """Queue a pool, its positions and its protocol fee."""
        deployer, key = self.chain.deployer, spec.key
        if spec.sqrt_price_x96:
            deployer.transact(self.exchange.manager, f"initialize({KEY},uint160)", key_tuple(key), spec.sqrt_price_x96)
        for position in spec.positions:
            self.modify(key, position)
        if spec.protocol_fee:
            self.set_protocol_fee(key, spec.protocol_fee)

    def modify(self, key: PoolKey, position: Position) -> None:
        """Queue a change of a position, which takes liquidity away where it is negative."""
        value = 10**21 if key.currency0 == ZERO_ADDRESS and position.liquidity > 0 else 0
        self.chain.deployer.transact(
            self.exchange.liquidity_router,
            f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)",
            *(key_tuple(key), (*position, b"\0" * 32), b""),
            value_wei=value,
        )

    def set_protocol_fee(self, key: PoolKey, packed: int) -> None:
        """Queue a new protocol fee."""
        self.chain.deployer.transact(self.exchange.manager, f"setProtocolFee({KEY},uint24)", key_tuple(key), packed)

    def ask(self, asked: Sequence[Asked]) -> list[Answered | None]:
        """What the pools would do on the head, None where they revert."""
        requests = [({"to": PROBE, "data": self._forwarded(one)}, "latest") for one in asked]
        return [_amounts(one, words) for one, words in zip(asked, self.chain.call_all(requests), strict=True)]

    def _forwarded(self, one: Asked) -> str:
        swap = encode_call(SWAP, key_tuple(one.key), (one.zero_for_one, -one.amount, one.limit_x96), b"")
        unlock = encode_call("unlock(bytes)", bytes.fromhex(swap[2:]))
        return self.exchange.manager + unlock[2:]

    def _tiers(self) -> list[PoolSpec]:
        """Spacings from 1 to 200; every second pool with a protocol fee, in some of one direction only."""
        draw, specs = self.random, []
        tiers = ((0, 1), (100, 1), (500, 10), (3000, 60), (10_000, 200))
        for i, (fee, spacing) in enumerate(tiers):
            centre = draw.randint(-3 * WORD, 3 * WORD) * spacing
            on_tick = sqrt_price_at_tick_up(centre)
            off_tick = on_tick + on_tick // 100_003
            dense = (*_dense(draw, centre, spacing), _everywhere(spacing))
            specs.append(PoolSpec(self._key(i, fee, spacing), off_tick, dense, (0, 250 << 12 | 1000, 77)[i % 3]))
            if spacing > 1:  # elsewhere swaps past the end walk 3,400 words
                gap = _with_gap(draw, centre, spacing, is_funded_here=fee > 500)
                specs.append(PoolSpec(self._key(i + 1, fee, spacing), off_tick, gap, 1000 << 12))
                specs.append(PoolSpec(self._key(i + 2, fee, spacing), on_tick, tuple(dense[:12])))
        return specs

    def _extremes(self) -> list[PoolSpec]:
        highest = TICK_MAX // 60 * 60
        low, high = sqrt_price_at_tick_up(-highest), sqrt_price_at_tick_up(highest - 30)
        return [
            PoolSpec(self._key(0, 3000, 60), low + low // 999, (Position(-highest, highest - 600, 10**12),)),
            PoolSpec(self._key(1, 3000, 60), high, (Position(600 - highest, highest, 10**12),), 500 << 12 | 300),
            PoolSpec(self._key(2, 700, 32_767), 2**96 + 5, (Position(-27 * 32_767, 27 * 32_767, 10**10),)),
            PoolSpec(self._key(3, 10_000, 60), 2**96, ()),
        ]

    def _odd(self) -> list[PoolSpec]:
        """Fees of nearly and of all there is, a hook, the native currency, no price yet."""
        draw = self.random
        wide = (Position(-60_000, 60_000, 10**16), *_dense(draw, 120, 60)[:6])
        native = PoolKey(ZERO_ADDRESS, self.chain.tokens[1], 500, 10)
        return [
            PoolSpec(self._key(0, 999_999, 60), 2**96 + 7, wide),
            PoolSpec(self._key(1, 999_999, 60), 2**96 + 7, wide, 1000),  # all of it in one direction
            PoolSpec(self._key(2, 1_000_000, 60), 2**96 + 7, wide),
            PoolSpec(self._key(3, 3000, 60, QUIET_HOOK), 2**96 + 7, wide, 1000 << 12 | 1000),
            PoolSpec(self._key(4, 500, 10, QUIET_HOOK), 2**96 + 7, (Position(-600, 600, 10**15),)),
            PoolSpec(native, 2**96 + 7, (Position(-6000, 6000, 10**19), Position(-60, 60, 10**18)), 30 << 12 | 20),
            PoolSpec(self._key(5, 400, 8), 0, ()),
        ]

    def _key(self, pair: int, fee_pips: int, tick_spacing: int, hooks: Address = ZERO_ADDRESS) -> PoolKey:
        tokens = self.chain.tokens
        pairs = [(a, b) for i, a in enumerate(tokens) for b in tokens[i + 1 :]]
        return PoolKey(*pairs[pair % len(pairs)], fee_pips, tick_spacing, hooks)


def _amounts(asked: Asked, words: Sequence[int] | None) -> Answered | None:
    assert words is not None, "the probe itself never reverts"
    if words[0] == 0 or len(words) != 2:
        return None
    halves = (words[1] >> 128, words[1] % _INT128)
    amount0, amount1 = (half - _INT128 if half >= _HALF else half for half in halves)
    return Answered(-amount0, amount1) if asked.zero_for_one else Answered(-amount1, amount0)


def minted(key: PoolKey, position: Position, owner: Address) -> bytes:
    """`unlockData` with which the PositionManager mints a position and pays for it out of what it holds."""
    mint_types = (KEY, "int24", "int24", "uint256", "uint128", "uint128", "address", "bytes")
    mint = encode_arguments(mint_types, key_tuple(key), *position, _HALF - 1, _HALF - 1, owner, b"")
    settle_types = ("address", "uint256", "bool")
    settles = [encode_arguments(settle_types, token, 0, False) for token in (key.currency0, key.currency1)]
    return encode_arguments(("bytes", "bytes[]"), b"\x02\x0b\x0b", [mint, *settles])


def _dense(rng: random.Random, centre: int, spacing: int) -> list[Position]:
    """Many short positions around the price, some with an end on the edge of a bitmap word."""
    positions = [_position(rng, centre - 400 * spacing, centre + 400 * spacing)]
    for _ in range(28):
        lower = centre + rng.randint(-60, 50) * spacing
        positions.append(_position(rng, lower, lower + rng.randint(1, 25) * spacing))
    first_word = centre // spacing // WORD
    for word in (first_word - 1, first_word, first_word + 1):
        start, last = word * WORD * spacing, (word * WORD + 255) * spacing
        positions.append(_position(rng, start, start + 3 * spacing))
        positions.append(_position(rng, last - 2 * spacing, last))
        positions.append(_position(rng, last, last + spacing))
    return positions


def _everywhere(spacing: int) -> Position:
    return Position(-(TICK_MAX // spacing) * spacing, TICK_MAX // spacing * spacing, 10**10)


def _with_gap(rng: random.Random, centre: int, spacing: int, *, is_funded_here: bool) -> tuple[Position, ...]:
    """Liquidity far away on both sides, some at the price or none, nothing between."""
    positions = [_position(rng, centre - 4 * spacing, centre + 6 * spacing)] if is_funded_here else []
    for side in (-1, 1):
        for _ in range(6):
            lower = centre + side * rng.randint(280, 620) * spacing
            positions.append(_position(rng, lower, lower + rng.randint(1, 90) * spacing))
    return tuple(positions)


def _position(rng: random.Random, tick_lower: int, tick_upper: int) -> Position:
    return Position(tick_lower, tick_upper, int(10 ** rng.uniform(8, 17)))
