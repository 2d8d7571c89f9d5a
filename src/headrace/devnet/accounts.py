"""The devnet's accounts: anvil's well-known test accounts. Their mnemonic is public and they guard nothing."""

import hashlib
import hmac
from functools import cache

from coincurve import PrivateKey
from eth_hash.auto import keccak

from headrace.model.address import Address

TEST_MNEMONIC = "test test test test test test test test test test test junk"
_HARDENED = 1 << 31
_PATH = (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0)  # BIP-44 for Ethereum, account 0, external chain
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

MAKER = 0  # deploys everything, provides the liquidity, keeps the price feeds
OPERATOR = 1  # signs for the agent
OWNER = 2  # owns the Executor and its capital
TRADERS = (3, 4, 5, 6)
RIVALS = (7, 8, 9)
GUARDIAN = 11  # may pause the Executor
TREASURY = 12  # where the operator may sweep the Executor's profits


@cache
def account_key(index: int) -> bytes:
    """Private key of a test account, 32 bytes (BIP-32 path m/44'/60'/0'/0/index)."""
    seed = hashlib.pbkdf2_hmac("sha512", TEST_MNEMONIC.encode(), b"mnemonic", 2048)
    key, chain_code = _halves(b"Bitcoin seed", seed)
    for step in (*_PATH, index):
        hard = b"\0" + key.to_bytes(32)
        public = PrivateKey(key.to_bytes(32)).public_key.format()
        tweak, chain_code = _halves(chain_code, (hard if step >= _HARDENED else public) + step.to_bytes(4))
        key = (tweak + key) % _CURVE_ORDER
    return key.to_bytes(32)


@cache
def account_address(index: int) -> Address:
    """Address of a test account."""
    public = PrivateKey(account_key(index)).public_key.format(compressed=False)
    return Address("0x" + keccak(public[1:])[-20:].hex())


def operator_key() -> bytes:
    """The agent's private key on the devnet, 32 bytes; it is public, so never send it anything of worth."""
    return account_key(OPERATOR)


def _halves(key: bytes, data: bytes) -> tuple[int, bytes]:
    digest = hmac.digest(key, data, "sha512")
    return int.from_bytes(digest[:32]), digest[32:]
