"""3pool, and RAI's metapool on it, at two blocks of mainnet, and what their `get_dy` and `get_dy_underlying` answered.

Views: the contracts' estimates, which `exchange` may pay a unit less than.
"""

from collections.abc import Iterator

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue
from tests.parity.vectors.quotes import Token, answers, state_files, view_line


class PoolFile(msgspec.Struct):
    address: str
    block_timestamp: int
    tokens: list[Token]
    balances: list[int]
    fee: int
    admin_fee: int
    initial_a: int
    future_a: int
    initial_a_time: int
    future_a_time: int
    lp_token_total_supply: int
    block: int = 0
    base_virtual_price: int = 0
    base_cache_updated: int = 0
    redemption_price: int = 0
    base_pool: "PoolFile | None" = None

    def addresses(self) -> list[JsonValue]:
        return [token.address for token in self.tokens]

    def state(self) -> dict[str, JsonValue]:
        """3pool's, alone or as a base; of a metapool what it has in common with one."""
        return {
            "balances": [str(balance) for balance in self.balances],
            "decimals": [str(token.decimals) for token in self.tokens],
            "fee": str(self.fee),
            "admin_fee": str(self.admin_fee),
            "initial_a": str(self.initial_a),
            "future_a": str(self.future_a),
            "initial_time": str(self.initial_a_time),
            "future_time": str(self.future_a_time),
            "a_precision": "1" if self.base_pool is None else "100",
            "supply": str(self.lp_token_total_supply),
        }

    def meta_state(self, base: "PoolFile") -> dict[str, JsonValue]:
        pool: dict[str, JsonValue] = {"id": base.address, "tokens": base.addresses()}
        cached: JsonValue = {"price": str(self.base_virtual_price), "updated_at": str(self.base_cache_updated)}
        return self.state() | {
            "rate_sources": ["redemption", "base_pool"],
            "rates": [str(self.redemption_price), "0"],
            "cached": cached,
            "base": base.state() | {"pool": pool},
        }

    def line(self) -> PoolLine:
        base = self.base_pool
        behind = [] if base is None else base.tokens
        return PoolLine(
            id=PoolId(self.address),
            protocol="curve_stableswap",
            tokens=tuple(Address(token.address) for token in (*self.tokens, *behind)),
            state=RawDocument(self.state() if base is None else self.meta_state(base)),
            as_of=self.block,
        )


def lines() -> Iterator[Line]:
    files = [*state_files("curve_tripool_*.json"), *state_files("curve_metapool_*.json")]
    pools = [msgspec.json.decode(file, type=PoolFile) for file in files]
    last = max(pools, key=lambda pool: pool.block)
    yield HeaderLine(version=VERSION, chain_id=1, number=last.block, timestamp=last.block_timestamp)
    yield from {token.address: token.line() for pool in pools for token in _all_tokens(pool)}.values()
    yield from (pool.line() for pool in pools)
    found = {pool.address.lower(): pool for pool in pools}
    for pattern in ("test_curve_tripool_get_dy.json", "test_curve_metapool_get_dy.json"):
        for question, expected in answers(pattern):
            pool = found[question.pool]
            named = {token.symbol: Address(token.address) for token in _all_tokens(pool)}
            swap = view_line(question, named, expected)
            yield msgspec.structs.replace(swap, number=pool.block, timestamp=pool.block_timestamp)


def _all_tokens(pool: PoolFile) -> list[Token]:
    return pool.tokens + ([] if pool.base_pool is None else pool.base_pool.tokens)
