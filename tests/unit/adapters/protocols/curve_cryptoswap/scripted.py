"""A node that answers for one CryptoSwap pool from a table; `get_dy` from our own arithmetic, so it proves nothing."""

from collections.abc import Mapping, Sequence
from typing import cast

from headrace.adapters.protocols.words import call_data
from headrace.kernels.cryptoswap import CryptoSwapPool, Generation, amount_out
from headrace.kernels.cryptoswap_newton import RevertError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.ports.chain import Call, Chain

POOL = Address("0x" + "ab" * 20)
POOL_ID = PoolId(POOL)
SHARES = Address("0x" + "cd" * 20)
MATH = Address("0x" + "ef" * 20)
TOKENS = tuple(Address("0x" + f"0{k}" * 20) for k in (1, 2, 3))
BLOCK = Hash32("0x" + "11" * 32)
NUMBER, NOW = 700, 1_800_000_000
GET_DY = call_data("get_dy(uint256,uint256,uint256)")

Answers = Mapping[str, bytes | None]


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def text(value: str) -> bytes:
    return words(32, len(value)) + value.encode().ljust(32, b"\0")


def answers_of(pool: CryptoSwapPool, **changes: bytes | None) -> dict[str, bytes | None]:
    """What a pool of that arithmetic answers; tokens of 18 decimals."""
    count = pool.generation.coins
    packed = words(pool.ann << 128 | pool.gamma)
    found: dict[str, bytes | None] = {
        "gamma()": words(pool.gamma),
        "D()": words(pool.invariant),
        "initial_A_gamma()": packed,
        "future_A_gamma()": packed,
        "initial_A_gamma_time()": words(0),
        "future_A_gamma_time()": words(0),
        "mid_fee()": words(pool.fees.mid_fee),
        "out_fee()": words(pool.fees.out_fee),
        "fee_gamma()": words(pool.fees.fee_gamma),
        "virtual_price()": words(10**18),
        "totalSupply()": words(10**20),
        "decimals()": words(18),
    }
    found |= {f"coins {k}": words(int(TOKENS[k], 16)) for k in range(count)}
    found |= {f"balances {k}": words(pool.balances[k]) for k in range(count)}
    if count == 2:
        found["price_scale()"] = words(pool.prices[0])
    else:
        found |= {f"price_scale {k}": words(pool.prices[k]) for k in range(count - 1)}
    if pool.generation.is_next:
        version = "v2.1.0" if pool.generation is Generation.PAIR_NG_WIDE else "v2.0.0"
        found |= {"MATH()": words(int(MATH, 16)), "version()": text("v2.0.0"), "math version": text(version)}
    else:
        found |= {"token()": words(int(SHARES, 16)), "is_killed()": words(0)}
    return {**found, **changes}


class ScriptedNode:
    """Answers whatever the table has, None for the rest; no block but one."""

    def __init__(self, pool: CryptoSwapPool, answers: Answers) -> None:
        self._pool = pool
        self._answers = {self._key(name): answer for name, answer in answers.items()}
        self.batches = 0

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        if block != BLOCK:
            return None
        return BlockHeader(NUMBER, BLOCK, BLOCK, NOW, 1, 0, 30_000_000, TOKENS[0], b"")

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == BLOCK
        self.batches += 1
        return tuple(self._answer(call) for call in calls)

    def _answer(self, call: Call) -> bytes | None:
        if call.data.startswith(GET_DY[:4]) and "no get_dy" not in self._answers:
            question = [int.from_bytes(call.data[at : at + 32], "big") for at in (4, 36, 68)]
            try:
                return words(amount_out(self._pool, *question))
            except RevertError:
                return None
        name = "math version" if call.to == MATH else call.data
        return self._answers.get(name)

    @staticmethod
    def _key(name: str) -> str | bytes:
        if name in ("math version", "no get_dy"):
            return name
        if " " in name:
            getter, index = name.split()
            return call_data(f"{getter}(uint256)", int(index))
        return call_data(name)


def node(pool: CryptoSwapPool, **changes: bytes | None) -> Chain:
    """A chain on which that pool stands, with some answers changed."""
    renamed = {name.replace("__", " ") if "__" in name else name: answer for name, answer in changes.items()}
    table = answers_of(pool)
    table.update({name if name in table or " " in name else f"{name}()": answer for name, answer in renamed.items()})
    return cast("Chain", ScriptedNode(pool, table))
