"""CREATE2 (EIP-1014): a contract's address follows from its maker, a salt and the hash of its creation code.

So a pool that a log names can be checked without asking anybody: a node cannot slip in a pool that the factory did not
make, since it would need creation code with the same hash.
"""

from headrace.model.address import Address, Hash32, PoolId, keccak_hex

_ADDRESS_DIGITS = 40
_CLONE_HEAD = "3d602d80600a3d3981f3363d3d373d3d3d363d73"
_CLONE_TAIL = "5af43d82803e903d91602b57fd5bf3"


def create2_pool(maker: Address, packed: bytes, init_code_hash: Hash32) -> PoolId:
    """The pool that `maker` creates with the salt keccak256(`packed`)."""
    return PoolId(create2_address(maker, keccak_hex(packed), init_code_hash))


def create2_address(maker: Address, salt: Hash32, init_code_hash: Hash32) -> Address:
    """The contract that `maker` creates with `salt`."""
    preimage = b"\xff" + _raw(maker) + _raw(salt) + _raw(init_code_hash)
    return Address("0x" + keccak_hex(preimage)[-_ADDRESS_DIGITS:])


def clone_code_hash(implementation: Address) -> Hash32:
    """Hash of the creation code of a minimal proxy (EIP-1167, as OpenZeppelin's Clones makes it)."""
    return keccak_hex(bytes.fromhex(_CLONE_HEAD + implementation[2:] + _CLONE_TAIL))


def packed(*addresses: Address) -> bytes:
    """Addresses as abi.encodePacked writes them: 20 bytes each."""
    return b"".join(_raw(address) for address in addresses)


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
