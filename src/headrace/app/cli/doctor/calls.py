"""Calls whose arguments are addresses, which is all that doctor asks contracts."""

from headrace.model.address import Address, keccak_hex

_PADDING_BYTES = 12


def address_call(signature: str, *addresses: Address) -> bytes:
    """The calldata of a function such as `allowance(address,address)`."""
    words = b"".join(bytes(_PADDING_BYTES) + bytes.fromhex(address[2:]) for address in addresses)
    return bytes.fromhex(keccak_hex(signature.encode())[2:10]) + words
