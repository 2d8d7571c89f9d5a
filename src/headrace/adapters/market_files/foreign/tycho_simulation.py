"""Pool states that tycho-simulation's tests keep: Uniswap v3 with all ticks (net liquidity only), and v2 pairs.

The file names neither pools nor a block. A pool's address follows from its tokens and fee by Uniswap's own factories
(CREATE2, EIP-1014); the block is 0 unless the command is told. Ticks of net zero are not told, where the pool stops
and rounds: a quote across one could be off by a unit, so the note says that the gross is unknown.

Source: Uniswap v3-periphery 1.4.4 PoolAddress.sol, v2-periphery 1.1.0 UniswapV2Library.pairFor.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from headrace.adapters.market_files.foreign.converted import Converted
from headrace.adapters.market_files.lines import VERSION, HeaderLine, PoolLine, TokenLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId, keccak_hex
from headrace.model.codec import JsonValue

_FEES: Final = {"Lowest": 100, "Low": 500, "Medium": 3000, "High": 10_000}
_V2_FEE_PIPS = 3000
_V3: Final = (
    "0x1f98431c8ad98523631ae4a59f267346ea31f984",
    "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
)
_V2: Final = (
    "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
    "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
)


class ToldToken(msgspec.Struct):
    """A token."""

    address: str
    symbol: str
    decimals: int


class Tick(msgspec.Struct):
    """An initialised tick."""

    index: int
    net_liquidity: int


class Ticks(msgspec.Struct):
    """All of a pool's."""

    tick_spacing: int
    ticks: tuple[Tick, ...]


class Fields(msgspec.Struct):
    """Of a v3 pool the first five, of a pair the last two."""

    liquidity: int = 0
    sqrt_price: str = "0x0"
    fee: str = ""
    tick: int = 0
    ticks: Ticks | None = None
    reserve0: str = ""
    reserve1: str = ""


class State(msgspec.Struct):
    """The state under its Rust name."""

    protocol: str
    state: Fields


class Entry(msgspec.Struct):
    """A pool."""

    tokens: tuple[ToldToken, ToldToken]
    state: State


def convert(contents: Sequence[bytes], number: int = 0, timestamp: int = 0) -> Converted:
    """The pools of such files.

    Raises:
        msgspec.DecodeError: it is no such file.
        ValueError: a number is not of its form.
    """
    entries = [entry for content in contents for entry in msgspec.json.decode(content, type=tuple[Entry, ...])]
    tokens = {token.address: token for entry in entries for token in entry.tokens}
    return Converted(
        header=HeaderLine(version=VERSION, chain_id=1, number=number, timestamp=timestamp, source="tycho-simulation"),
        tokens=tuple(
            TokenLine(address=Address(t.address.lower()), decimals=t.decimals, symbol=t.symbol) for t in tokens.values()
        ),
        pools=tuple(_pool(entry) for entry in entries),
        skipped=Counter(),
        notes=("ticks are told by net liquidity only: a tick of net zero may be missing",),
    )


def _pool(entry: Entry) -> PoolLine:
    low, high = sorted(Address(token.address.lower()) for token in entry.tokens)
    at = entry.state.state
    if at.ticks is None:
        state: dict[str, JsonValue] = {
            name: str(int(value, 16)) for name, value in (("reserve0", at.reserve0), ("reserve1", at.reserve1))
        }
        address = _derived(_V2, bytes.fromhex(low[2:] + high[2:]))
        return _line(address, (low, high), "uniswap_v2", _V2_FEE_PIPS, state)
    fee = _FEES[at.fee]
    state = {
        "sqrt_price_x96": str(int(at.sqrt_price, 16)),
        "tick": str(at.tick),
        "liquidity": str(at.liquidity),
        "tick_spacing": str(at.ticks.tick_spacing),
        "ticks": {str(tick.index): str(tick.net_liquidity) for tick in at.ticks.ticks},
    }
    salt = b"".join(int(word, 16).to_bytes(32, "big") for word in (low, high, hex(fee)))
    return _line(_derived(_V3, salt), (low, high), "uniswap_v3", fee, state)


def _line(
    address: PoolId, tokens: tuple[Address, ...], protocol: str, fee_pips: int, state: dict[str, JsonValue]
) -> PoolLine:
    return PoolLine(id=address, protocol=protocol, tokens=tokens, state=RawDocument(state), fee_pips=fee_pips)


def _derived(maker: tuple[str, str], salted: bytes) -> PoolId:
    factory, code_hash = maker
    salt = keccak_hex(salted)[2:]
    return PoolId("0x" + keccak_hex(bytes.fromhex("ff" + factory[2:] + salt + code_hash))[-40:])
