"""Calls by their human-readable signature: `balanceOf(address)(uint256)` names the types of arguments, then results."""

from functools import cache

import msgspec
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_hash.auto import keccak


class Signature(msgspec.Struct, frozen=True):
    """A parsed signature: four bytes of selector and two lists of types."""

    selector: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@cache
def parse_signature(signature: str) -> Signature:
    """Read `name(inputs)` or `name(inputs)(outputs)`; nested tuples are allowed."""
    name, _, rest = signature.partition("(")
    inputs, outputs = _groups("(" + rest)
    selector = keccak(f"{name}({','.join(inputs)})".encode())[:4].hex()
    return Signature(selector, inputs, outputs)


def encode_call(signature: str, *args: object) -> str:
    """Calldata as 0x hex."""
    parsed = parse_signature(signature)
    return "0x" + parsed.selector + abi_encode(parsed.inputs, args).hex()


def encode_arguments(types: tuple[str, ...], *args: object) -> bytes:
    """Arguments alone, as constructors and nested payloads take them."""
    return abi_encode(types, args)


def decode_result(signature: str, data: str) -> tuple[object, ...]:
    """What a call answered, by the signature's second list; addresses are lowercase hex."""
    return tuple(abi_decode(parse_signature(signature).outputs, bytes.fromhex(data[2:])))


def decode_words(data: str) -> list[int]:
    """The 32-byte words of 0x hex, unsigned."""
    return [int(data[i : i + 64], 16) for i in range(2, len(data), 64)]


def signed_word(word: int) -> int:
    """A word read as two's complement."""
    return word - (1 << 256) if word >> 255 else word


def event_topic(signature: str) -> str:
    """First topic of an event, from `Name(types)`."""
    return "0x" + keccak(signature.encode()).hex()


def _groups(rest: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    depth = 0
    for i, character in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return _split(rest[1:i]), _split(rest[i + 2 : -1])
    raise AssertionError(rest)


def _split(types: str) -> tuple[str, ...]:
    parts: list[str] = []
    depth = start = 0
    for i, character in enumerate(types):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(types[start:i])
            start = i + 1
    return (*parts, types[start:]) if types else ()
