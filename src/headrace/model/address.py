"""Addresses, hashes and pool ids, as lowercase hex: the form in which nodes give them, comparable without parsing.

Bytes are 0x-prefixed hex strings outside the codecs; only what is shown to people carries the EIP-55 checksum.
"""

import re
from typing import NewType

from eth_hash.auto import keccak

from headrace.errors import ConfigError

Address = NewType("Address", str)
Hash32 = NewType("Hash32", str)
PoolId = NewType("PoolId", str)  # the pool's address, or the 32-byte id of a pool in a vault
ChainId = NewType("ChainId", int)

ZERO_ADDRESS = Address("0x" + "00" * 20)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def parse_address(text: str, where: str = "") -> Address:
    """Read an address written by a person; one in mixed case must carry its EIP-55 checksum.

    Raises:
        ConfigError: not 20 bytes of hex, or a wrong checksum.
    """
    if not _ADDRESS.fullmatch(text):
        raise ConfigError(f"{text!r} is not an address (0x and 40 hex digits)", where)
    address = Address(text.lower())
    is_mixed = text[2:].lower() != text[2:] and text[2:].upper() != text[2:]
    if is_mixed and text != checksum(address):
        raise ConfigError(
            f"{text} has a wrong checksum; check for a mistyped digit (expected {checksum(address)})", where
        )
    return address


def checksum(address: Address) -> str:
    """EIP-55 form, for people."""
    digits = address[2:]
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(digest[i], 16) >= 8 else c for i, c in enumerate(digits))  # noqa: PLR2004 - EIP-55


def keccak_hex(data: bytes) -> Hash32:
    """keccak256 as 0x hex."""
    return Hash32("0x" + keccak(data).hex())
