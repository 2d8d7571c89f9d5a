"""A stable and a volatile pair of Aerodrome on Base, and what their `getAmountOut` answered: what `swap` pays."""

from collections.abc import Iterator

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from tests.parity.vectors.quotes import Token, answers, lines_of, state_files


class PairFile(msgspec.Struct):
    chain_id: int
    block: int
    pool: str
    stable: bool
    fee_raw: int
    token0: Token
    token1: Token
    reserves_token0: int
    reserves_token1: int

    def line(self) -> PoolLine:
        state = RawDocument(
            {
                "is_stable": self.stable,
                "scales": [str(10**self.token0.decimals), str(10**self.token1.decimals)],
                "fee": str(self.fee_raw),
                "reserve0": str(self.reserves_token0),
                "reserve1": str(self.reserves_token1),
            }
        )
        tokens = (Address(self.token0.address), Address(self.token1.address))
        return PoolLine(id=PoolId(self.pool), protocol="solidly", venue="aerodrome", tokens=tokens, state=state)


def lines() -> Iterator[Line]:
    pairs = {
        pair.pool.lower(): pair
        for pair in (msgspec.json.decode(file, type=PairFile) for file in state_files("aerodrome_v2_*.json"))
    }
    first = next(iter(pairs.values()))
    yield HeaderLine(version=VERSION, chain_id=first.chain_id, number=first.block, timestamp=0)
    for pair in pairs.values():
        yield from (pair.token0.line(), pair.token1.line(), pair.line())
    for question, expected in answers("test_aerodrome_v2_*.json"):
        pair = pairs[question.pool]
        tokens = {one.symbol: Address(one.address) for one in (pair.token0, pair.token1)}
        yield from lines_of(question, tokens, expected)
