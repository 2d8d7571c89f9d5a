"""Which Executor is deployed where: its address follows from what it is, before anything is sent.

It is created by the deterministic deployment proxy, a contract without owner or state that stands at one address on
nearly every chain: called with a salt and creation code it runs CREATE2 (EIP-1014). So the address follows from the
build, the owner, the wrapped native coin and a number, and from nothing else: neither from who pays nor from nonces.
Whoever else sends the same call makes the same contract with the same owner; nobody can put another one there.

Source: github.com/Arachnid/deterministic-deployment-proxy.
"""

import msgspec

from headrace.adapters.factories.create2 import create2_address
from headrace.app.cli.doctor.executor_code import ExecutorBuild, read_build
from headrace.errors import DeploymentError
from headrace.model.address import Address, checksum, keccak_hex
from headrace.model.calldata import word

PROXY = Address("0x4e59b44847b379578588920ca78fbf26c0b4956c")
PROXY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b"
    "8082525050506014600cf3"
)
PROXY_SENDER = Address("0x3fab184622dc19b6109349b94811493bf2a45362")  # of the one transaction that creates the proxy
PROXY_TRANSACTION = (
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0222222222222222222"
    "2222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222"
)


class Deployment(msgspec.Struct, frozen=True):
    """One Executor, there or not yet."""

    build: ExecutorBuild
    owner: Address
    wrapped_native: Address
    salt_number: int

    @property
    def address(self) -> Address:
        """Where it is, or will be."""
        return create2_address(PROXY, keccak_hex(self._salt_preimage), keccak_hex(self._creation_code))

    @property
    def calldata(self) -> bytes:
        """What the proxy is sent: the salt and the creation code with its arguments."""
        return bytes.fromhex(keccak_hex(self._salt_preimage)[2:]) + self._creation_code

    def require_same(self, code: bytes) -> None:
        """Make sure that code at the address is this Executor.

        Raises:
            DeploymentError: it differs from the build, or its owner or wrapped native coin is another.
        """
        difference = self.build.difference(code)
        if difference:
            raise DeploymentError(f"the code at {checksum(self.address)} is not the one built here: {difference}")
        found, wanted = sorted(self.build.addresses(code)), sorted((self.owner, self.wrapped_native))
        if found != wanted:
            told = ", ".join(map(checksum, found))
            raise DeploymentError(f"the Executor at {checksum(self.address)} was made with other addresses: {told}")

    @property
    def _salt_preimage(self) -> bytes:
        return word(self.owner) + word(self.salt_number)

    @property
    def _creation_code(self) -> bytes:
        return self.build.creation_code + word(self.owner) + word(self.wrapped_native)


def require_build() -> ExecutorBuild:
    """The build.

    Raises:
        DeploymentError: the contracts are not built here.
    """
    build = read_build()
    if build is None:
        raise DeploymentError("the contracts are not built here: run `make setup`")
    return build


def require_proxy(code: bytes, chain_name: str) -> None:
    """Make sure that the proxy is there, and is the one.

    Raises:
        DeploymentError: it is not; the message says what to do.
    """
    if code == PROXY_CODE:
        return
    wanted = f"at {checksum(PROXY)}, where the deterministic deployment proxy should be"
    if code:
        raise DeploymentError(f"{chain_name} has another contract {wanted}: do not deploy there")
    raise DeploymentError(
        f"{chain_name} has nothing {wanted}: send 0.01 native coin to {checksum(PROXY_SENDER)}, broadcast"
        f" 0x{PROXY_TRANSACTION} and run this again; a chain that refuses it has no such proxy"
    )
