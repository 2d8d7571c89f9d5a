"""What a single value can be: how it is read, described and shown. The structs' fields are annotated with these.

A kind turns text into the integer or name that the rest of the system uses; the field's name says its unit.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from headrace.app.config.document import Node, Section
from headrace.app.config.exact import scalar_of, scaled_integer
from headrace.app.config.money import Money, read_money
from headrace.app.config.secret import Endpoint, Secret, is_node_address
from headrace.app.config.suggest import did_you_mean
from headrace.app.config.token_file import TokenFile, read_token_file
from headrace.errors import ConfigError
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId, checksum, parse_address
from headrace.model.chain_rules import ChainKind
from headrace.model.codec import JsonValue
from headrace.model.pool import ProtocolId
from headrace.model.token import decimal_text

Schema = dict[str, JsonValue]
PROTOCOLS = (
    "uniswap_v2",
    "uniswap_v3",
    "uniswap_v4",
    "balancer_v2",
    "balancer_v2_stable",
    "balancer_v3",
    "curve_stableswap",
    "curve_cryptoswap",
    "solidly",
    "aave_v3",
    "morpho",
    "erc3156",
)
CHAIN_KINDS = tuple(kind.value for kind in ChainKind)
_NUMBER_PATTERN = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,19}")
_POOL_ID = re.compile(r"0x[0-9a-fA-F]{64}")
_URL = re.compile(r"(wss?|https?)://([^/?#\s@]+)(/[^?#\s]*)?")
_KEY_LIKE = re.compile(r"[A-Za-z0-9_-]{16,}")
_FD_MAX = 1023


class Kind(msgspec.Struct, frozen=True, eq=False):
    """One sort of value: its name for people, its reader, its JSON schema, and how a value is written back."""

    name: str
    read: Callable[[Node], object]
    schema: Schema
    show: Callable[[object], JsonValue]


def _number(what: str, *, decimals: int, least: int = 0, most: int) -> Kind:
    def read(node: Node) -> int:
        scalar = scalar_of(node, what)
        value = scaled_integer(scalar.text, decimals, str(scalar.place))
        if not least <= value <= most:
            bounds = f"{decimal_text(least, decimals)} to {decimal_text(most, decimals)}"
            raise ConfigError(f"{scalar.text} is out of range: {what}, {bounds}", str(scalar.place))
        return value

    if decimals == 0:
        whole: Schema = {"type": "integer", "minimum": least, "maximum": most}
        return Kind(what, read, whole, int_of)
    either: Schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _NUMBER_PATTERN}]}
    return Kind(what, read, either, lambda value: decimal_text(int_of(value), decimals))


def int_of(value: object) -> int:
    """The value as the integer it is."""
    assert isinstance(value, int), value
    return value


def _text(what: str, pattern: re.Pattern[str], hint: str) -> Kind:
    def read(node: Node) -> str:
        scalar = scalar_of(node, what)
        if not pattern.fullmatch(scalar.text):
            raise ConfigError(f"{scalar.text!r} is not {what}: {hint}", str(scalar.place))
        return scalar.text

    return Kind(what, read, {"type": "string", "pattern": f"^{pattern.pattern}$"}, str)


def _read_flag(node: Node) -> bool:
    scalar = scalar_of(node, "true or false")
    if scalar.is_quoted or scalar.text not in ("true", "false"):
        raise ConfigError(f"{scalar.text!r} is not true or false", str(scalar.place))
    return scalar.text == "true"


def _read_address(node: Node) -> Address:
    scalar = scalar_of(node, "an address")
    address = parse_address(scalar.text, str(scalar.place))
    if address == ZERO_ADDRESS:
        raise ConfigError("the zero address holds nothing: write the contract's own", str(scalar.place))
    return address


def _read_pool(node: Node) -> PoolId:
    scalar = scalar_of(node, "a pool")
    if _POOL_ID.fullmatch(scalar.text):
        return PoolId(scalar.text.lower())
    return PoolId(_read_address(node))


def _read_code_hash(node: Node) -> Hash32:
    scalar = scalar_of(node, "a hash")
    if not _POOL_ID.fullmatch(scalar.text):
        raise ConfigError(f"{scalar.text!r} is not a hash (0x and 64 hex digits)", str(scalar.place))
    return Hash32(scalar.text.lower())


def _read_protocol(node: Node) -> ProtocolId:
    scalar = scalar_of(node, "a protocol")
    if scalar.text not in PROTOCOLS:
        hint = did_you_mean(scalar.text, PROTOCOLS)
        raise ConfigError(f"unknown protocol {scalar.text!r}{hint}; one of {', '.join(PROTOCOLS)}", str(scalar.place))
    return ProtocolId(scalar.text)


def _read_chain_kind(node: Node) -> ChainKind:
    scalar = scalar_of(node, "a kind of chain")
    if scalar.text not in CHAIN_KINDS:
        hint = did_you_mean(scalar.text, CHAIN_KINDS)
        raise ConfigError(f"unknown kind {scalar.text!r}{hint}; one of {', '.join(CHAIN_KINDS)}", str(scalar.place))
    return ChainKind(scalar.text)


def _read_path(node: Node) -> Path:
    scalar = scalar_of(node, "a path")
    if scalar.text.startswith("~") or "$" in scalar.text:
        raise ConfigError("`~` and variables are not expanded: write the path out", str(scalar.place))
    return scalar.place.file.parent.absolute() / scalar.text


def _read_tokens(node: Node) -> TokenFile:
    return read_token_file(_read_path(node), node.place)


def _show_tokens(value: object) -> JsonValue:
    assert isinstance(value, TokenFile)
    return str(value.file)


def _read_secret(node: Node) -> Secret:
    where = str(node.place)
    if not isinstance(node, Section) or len(node.entries) != 1 or not node.entries.keys() <= {"file", "fd"}:
        raise ConfigError("a secret is given by reference: `{file: PATH}` or `{fd: NUMBER}`", where)
    if "file" in node.entries:
        return Secret(file=_read_path(node.entries["file"]))
    scalar = scalar_of(node.entries["fd"], "a file descriptor")
    fd = scaled_integer(scalar.text, 0, str(scalar.place))
    if fd > _FD_MAX:
        raise ConfigError(f"{fd} is no file descriptor: the highest is {_FD_MAX}", str(scalar.place))
    return Secret(fd=fd)


def _read_endpoint(schemes: tuple[str, ...]) -> Callable[[Node], Endpoint]:
    def read(node: Node) -> Endpoint:
        if isinstance(node, Section):
            return Endpoint(secret=_read_secret(node))
        scalar = scalar_of(node, f"a URL ({' or '.join(schemes)})")
        if scalar.text.startswith("/"):
            return Endpoint(url=scalar.text)  # the socket of a node on this machine
        match = _URL.fullmatch(scalar.text)
        if "@" in scalar.text or "?" in scalar.text or (match and _KEY_LIKE.search(match[3] or "")):
            why = "this URL seems to hold a key: put it into a file of mode 600 and write `{file: PATH}`"
            raise ConfigError(why, str(scalar.place))
        if match is None or match[1] not in schemes or not is_node_address(scalar.text):
            example = f"{schemes[0]}://127.0.0.1:8545"
            raise ConfigError(f"{scalar.text!r} is not a URL such as {example}", str(scalar.place))
        return Endpoint(url=scalar.text)

    return read


def _show_secret(value: object) -> JsonValue:
    assert isinstance(value, Secret)
    return {"file": str(value.file)} if value.file is not None else {"fd": value.fd}


def _show_endpoint(value: object) -> JsonValue:
    assert isinstance(value, Endpoint)
    return _show_secret(value.secret) if value.secret is not None else value.url


def _show_hex(value: object) -> JsonValue:
    text = str(value)
    return checksum(Address(text)) if len(text) == len(ZERO_ADDRESS) else text


def _show_flag(value: object) -> JsonValue:
    return bool(value)


_SECRET_SCHEMA: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string"}, "fd": {"type": "integer", "minimum": 0, "maximum": _FD_MAX}},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
_MONEY_PATTERN = r"^(0|[1-9][0-9]*)(\.[0-9]+)?( +[A-Za-z][A-Za-z0-9._-]*)?$"
_MONEY_SCHEMA: Schema = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _MONEY_PATTERN}],
}
_ADDRESS_SCHEMA: Schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
_HASH_SCHEMA: Schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}
_POOL_SCHEMA: Schema = {"type": "string", "pattern": "^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"}


def _endpoint(*schemes: str) -> Kind:
    schema: Schema = {"anyOf": [{"type": "string", "pattern": f"^(({'|'.join(schemes)})://|/)"}, _SECRET_SCHEMA]}
    what = (
        f"a {' or '.join(schemes)} URL or a socket's absolute path; `{{file: PATH}}` or `{{fd: N}}` if it holds a key"
    )
    return Kind(what, _read_endpoint(schemes), schema, _show_endpoint)


_MONEY = Kind("an amount of money, dollars unless a token is named", read_money, _MONEY_SCHEMA, str)
Dollars = Annotated[Money, _MONEY]
Count = Annotated[int, _number("a whole number", decimals=0, most=10**9)]
Positive = Annotated[int, _number("a whole number above 0", decimals=0, least=1, most=2**53 - 1)]
Blocks = Annotated[int, _number("a number of blocks", decimals=0, least=1, most=10**9)]
Bps = Annotated[int, _number("basis points (1/100 %)", decimals=0, most=10_000)]
FeePips = Annotated[int, _number("basis points (1/100 %)", decimals=2, most=1_000_000)]
FractionPpm = Annotated[int, _number("a fraction (0.5 is half)", decimals=6, most=1_000_000)]
MultiplierPpm = Annotated[int, _number("a factor", decimals=6, least=1_000_000, most=10_000_000)]
GweiAsWei = Annotated[int, _number("gwei", decimals=9, most=10**15)]
Milliseconds = Annotated[int, _number("seconds", decimals=3, least=1, most=3_600_000)]
Seconds = Annotated[int, _number("whole seconds", decimals=0, least=1, most=10**7)]
Flag = Annotated[bool, Kind("true or false", _read_flag, {"type": "boolean"}, _show_flag)]
Contract = Annotated[Address, Kind("an address", _read_address, _ADDRESS_SCHEMA, _show_hex)]
CodeHash = Annotated[Hash32, Kind("a keccak256 hash", _read_code_hash, _HASH_SCHEMA, str)]
PoolRef = Annotated[PoolId, Kind("a pool's address, or its id in a vault", _read_pool, _POOL_SCHEMA, _show_hex)]
ProtocolRef = Annotated[
    ProtocolId, Kind(f"one of {', '.join(PROTOCOLS)}", _read_protocol, {"enum": list(PROTOCOLS)}, str)
]
ChainKindRef = Annotated[
    ChainKind, Kind(f"one of {', '.join(CHAIN_KINDS)}", _read_chain_kind, {"enum": list(CHAIN_KINDS)}, str)
]
Name = Annotated[str, _text("a name", _NAME, "lowercase letters, digits and _, beginning with a letter")]
Symbol = Annotated[str, _text("a token's symbol", _SYMBOL, "letters, digits and . _ + -, at most 20")]
PathText = Annotated[Path, Kind("a path, relative to this file", _read_path, {"type": "string"}, str)]
TokensInFile = Annotated[
    TokenFile,
    Kind(
        "a path, relative to this file: a text with a token's address a line",
        _read_tokens,
        {"type": "string"},
        _show_tokens,
    ),
]
SecretRef = Annotated[Secret, Kind("`{file: PATH}` or `{fd: N}`", _read_secret, _SECRET_SCHEMA, _show_secret)]
NodeUrl = Annotated[Endpoint, _endpoint("ws", "wss")]
PrivateUrl = Annotated[Endpoint, _endpoint("https", "http")]
