"""Curve's first tricrypto pool on mainnet, and what its `get_dy` answered: what `exchange` pays."""

from collections.abc import Iterator

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue
from tests.parity.vectors.quotes import Token, answers, lines_of, state_files

_STORED_PER_A = 100  # this pool's `A()` leaves out the two decimals that it stores


class PoolFile(msgspec.Struct):
    chain_id: int
    block: int
    block_timestamp: int
    address: str
    tokens: list[Token]
    balances: list[int]
    a_coefficient: int
    gamma: int
    d: int
    price_scale: list[int]
    mid_fee: int
    out_fee: int
    fee_gamma: int
    virtual_price: int
    lp_token_total_supply: int

    def line(self) -> PoolLine:
        state: dict[str, JsonValue] = {
            "generation": "tricrypto",
            "precisions": [str(10 ** (18 - token.decimals)) for token in self.tokens],
            "ann_factor": "100",
            "balances": [str(balance) for balance in self.balances],
            "prices": [str(price) for price in self.price_scale],
            "invariant": str(self.d),
            "future_ann": str(self.a_coefficient * _STORED_PER_A),
            "future_gamma": str(self.gamma),
            "mid_fee": str(self.mid_fee),
            "out_fee": str(self.out_fee),
            "fee_gamma": str(self.fee_gamma),
            "supply": str(self.lp_token_total_supply),
            "virtual_price": str(self.virtual_price),
        }
        tokens = tuple(Address(token.address) for token in self.tokens)
        return PoolLine(id=PoolId(self.address), protocol="curve_cryptoswap", tokens=tokens, state=RawDocument(state))


def lines() -> Iterator[Line]:
    (file,) = state_files("curve_tricrypto_*.json")
    pool = msgspec.json.decode(file, type=PoolFile)
    yield HeaderLine(version=VERSION, chain_id=pool.chain_id, number=pool.block, timestamp=pool.block_timestamp)
    yield from (token.line() for token in pool.tokens)
    yield pool.line()
    named = {token.symbol: Address(token.address) for token in pool.tokens}
    for question, expected in answers("test_curve_tricrypto_get_dy.json"):
        yield from lines_of(question, named, expected)
