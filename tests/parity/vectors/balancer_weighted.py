"""Weighted pools of mainnet, and what their vault's querySwap answered (recorded by degenbot's tests)."""

import re
from collections.abc import Iterator
from fractions import Fraction

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine, SwapLine, TokenLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from tests.support.places import shared_data

_KEY = re.compile(r"(0x\w+)\|querySwap\|(GIVEN_IN|GIVEN_OUT)\|(?:i=(\d)\|j=(\d)|(\w+)->(\w+))\|(\d+)")


class Token(msgspec.Struct):
    address: str
    symbol: str
    decimals: int


class PoolFile(msgspec.Struct):
    chain_id: int
    block: int
    address: str
    pool_id: str
    vault: str
    tokens: list[Token]
    balances: list[int]
    weights: list[int]
    fee: str
    pow_version: str = ""


class Quote(msgspec.Struct):
    value: int | None = None


class QuoteFile(msgspec.Struct):
    entries: dict[str, Quote]


def lines() -> Iterator[Line]:
    folder = shared_data("vectors/onchain_parity")
    files = sorted((folder / "chain_data").glob("balancer_weighted_*.json"))
    pools = {pool.address: pool for f in files for pool in [msgspec.json.decode(f.read_bytes(), type=PoolFile)]}
    first = next(iter(pools.values()))
    yield HeaderLine(version=VERSION, chain_id=first.chain_id, number=first.block, timestamp=0)
    told = {token.address: token for pool in pools.values() for token in pool.tokens}
    for token in told.values():
        yield TokenLine(address=Address(token.address), decimals=token.decimals, symbol=token.symbol)
    yield from (_pool(pool) for pool in pools.values())
    for file in sorted((folder / "golden").glob("test_balancer_v2*.json")):
        for key, quote in msgspec.json.decode(file.read_bytes(), type=QuoteFile).entries.items():
            match = _KEY.fullmatch(key)
            assert match, key
            if match[1] in pools:
                yield _swap(match, pools[match[1]], quote.value)


def _pool(pool: PoolFile) -> PoolLine:
    state: RawDocument = RawDocument(
        {
            "weights": [str(weight) for weight in pool.weights],
            "cash": [str(balance) for balance in pool.balances],
            "swap_fee": str(int(Fraction(pool.fee) * 10**18)),
            "has_shortcuts": pool.pow_version != "v1",
        }
    )
    tokens = tuple(Address(token.address) for token in pool.tokens)
    return PoolLine(
        id=PoolId(pool.pool_id), protocol="balancer_v2", tokens=tokens, state=state, address=Address(pool.vault)
    )


def _swap(match: re.Match[str], pool: PoolFile, value: int | None) -> SwapLine:
    _, kind, i, j, symbol_in, symbol_out, amount = match.groups()
    symbols = [token.symbol for token in pool.tokens]
    way = (int(i), int(j)) if i else (symbols.index(symbol_in), symbols.index(symbol_out))
    token_in, token_out = (Address(pool.tokens[at].address) for at in way)
    expected = "reverts" if value is None else value
    swap = SwapLine(pool=PoolId(pool.pool_id), token_in=token_in, token_out=token_out)
    if kind == "GIVEN_IN":
        return msgspec.structs.replace(swap, amount_in=int(amount), expected_out=expected)
    return msgspec.structs.replace(swap, amount_out=int(amount), expected_in=expected)
