"""The lines of a market file: one JSON object each, its `kind` first, the first of all a header.

A line is one of the structs here; their names are those of the file, and what has a default may be left out. Integers
are decimal strings. docs/reference/market-files.md tells the same with examples.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from headrace.adapters.market_files.doubled import refuse_doubled
from headrace.adapters.protocols.document_values import HexData, RawDocument, Unfit
from headrace.adapters.protocols.documents import from_plain, plain_document
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.codec import JsonValue

VERSION: Final = 1
ZERO_HASH = Hash32("0x" + "00" * 32)
REVERTS: Final = "reverts"


class HeaderLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is about: a chain, and the block after which its states hold.

    Attributes:
        version: of the format: 1.
        chain_id: EIP-155 chain id.
        number: of the block; `timestamp` is its Unix second. Quotes are asked in this block, as a node's call on it is.
        has_end: the last line is an `end`; without it the file is cut short.
        source: who wrote it, for people.
    """

    version: int
    chain_id: int
    number: int
    timestamp: int
    hash: Hash32 = ZERO_HASH
    parent_hash: Hash32 = ZERO_HASH
    base_fee_wei: int = 0
    gas_used: int = 0
    gas_limit: int = 0
    coinbase: Address = ZERO_ADDRESS
    has_end: bool = False
    source: str = ""


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A token; one without a line has 0 decimals here, so its amounts are in its smallest unit."""

    address: Address
    decimals: int
    symbol: str = ""


class PoolLine(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and its state; behind a block's line, its state as read again after that block.

    Attributes:
        id: its address, or its 32-byte id in a vault.
        address: the contract whose logs are its; the id where left out.
        venue: the exchange's name; the protocol where left out.
        tokens: in the pool's own order.
        fee_pips: millionths, where the fee is constant (Uniswap); left out where the state carries it.
        as_of: the last block after which the state is known to hold; the header's (or the block's before it) where
            left out.
        chain_id: the header's where left out; a pool of another chain is refused.
        state: by protocol.
    """

    id: PoolId
    protocol: str
    tokens: tuple[Address, ...]
    state: RawDocument
    address: Address | None = None
    venue: str = ""
    fee_pips: int | None = None
    as_of: int | None = None
    chain_id: int | None = None


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One log, inside a block's line; its index is its place."""

    address: Address
    topics: tuple[Hash32, ...]
    data: HexData
    tx_hash: Hash32 = ZERO_HASH


class LoneLogLine(LogLine, frozen=True, kw_only=True):
    """One log by itself, where no more is told of its block: a join, an exit, a swap that took place.

    Attributes:
        number: of its block; that of the last block before this line where left out, behind a header the next one.
        timestamp: of its block; that of the last block before this line where left out.
    """

    number: int | None = None
    timestamp: int | None = None


class BlockLine(msgspec.Struct, frozen=True, kw_only=True):
    """A block as it was applied, with all its logs; `logs_bloom` follows from them where left out.

    `hash` and `parent_hash` may be left out in a file that is only checked.
    """

    number: int
    timestamp: int
    logs: tuple[LogLine, ...]
    hash: Hash32 = ZERO_HASH
    parent_hash: Hash32 = ZERO_HASH
    base_fee_wei: int = 0
    gas_used: int = 0
    gas_limit: int = 0
    coinbase: Address = ZERO_ADDRESS
    logs_bloom: HexData | None = None


class SwapLine(msgspec.Struct, frozen=True, kw_only=True):
    """A swap and what the chain says of it.

    Attributes:
        amount_in: exact input; with it `expected_out`: an integer, or "reverts".
        amount_out: exact output; with it `expected_in`, likewise.
        number: the block that the swap was asked in, with its `timestamp`; where left out, the last block before this
            line, the header's or one of a block's own line.
        call: the contract's own view that was asked, such as "get_dy", where it may promise another amount than the
            swap pays; left out for the swap itself, and for whatever simulates it.
        price_limit_x96: the price at which the pool stops, as its `sqrtPriceLimitX96`. With it the amount may be
            filled in part, and `expected_in` beside `amount_in` (`expected_out` beside `amount_out`) tells how much.
    """

    pool: PoolId
    token_in: Address
    token_out: Address
    amount_in: int | None = None
    expected_out: int | str | None = None
    amount_out: int | None = None
    expected_in: int | str | None = None
    number: int | None = None
    timestamp: int | None = None
    call: str = ""
    price_limit_x96: int | None = None


class ExpectedStateLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool's state must be after all lines before this one; `state` holds any of its fields."""

    pool: PoolId
    state: RawDocument


class PriceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the oracle said: dollars of one whole token, in 1e-12; it holds until the token's next price.

    Attributes:
        updated_at: Unix second at which its source gave it.
    """

    token: Address
    usd_pico: int
    updated_at: int


class EndLine(msgspec.Struct, frozen=True, kw_only=True):
    """The file is whole; `lines` counts all before this one."""

    lines: int


Line = HeaderLine | TokenLine | PoolLine | BlockLine | LoneLogLine | SwapLine | ExpectedStateLine | PriceLine | EndLine
KINDS: Final[Mapping[str, type[Line]]] = {
    "header": HeaderLine,
    "token": TokenLine,
    "pool": PoolLine,
    "block": BlockLine,
    "log": LoneLogLine,
    "swap": SwapLine,
    "expected_state": ExpectedStateLine,
    "price": PriceLine,
    "end": EndLine,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


def read_line(text: bytes) -> Line:
    """A line.

    Raises:
        Unfit: no JSON object, no such kind, a name written twice in one object, or a field that is missing, unknown or
            not of its form.
    """
    try:
        document: JsonValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit("line", f"it is no JSON object on one line ({error}): is the file cut short here?") from error
    if not isinstance(document, dict):
        raise Unfit("line", "write a JSON object")
    refuse_doubled(text, document)
    kind = document.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise Unfit("kind", f"write one of {', '.join(KINDS)}")
    return from_plain(KINDS[kind], document)


def write_line(line: Line) -> bytes:
    """A line, ended; what equals its default is left out."""
    document = plain_document(line)
    usual = {i.name: i.default for i in msgspec.structs.fields(line) if i.default is not msgspec.NODEFAULT}
    kept = {k: v for k, v in document.items() if k not in usual or getattr(line, k) != usual[k]}
    return msgspec.json.encode({"kind": _NAMES[type(line)], **kept}) + b"\n"
