import pytest

from headrace.devnet.artifacts import balancer_artifact, npm_artifact, own_artifact
from headrace.errors import DevnetError
from headrace.model.address import Address

POOL = "@aave/core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool.json"


@pytest.mark.parametrize(
    "path",
    [
        "@uniswap/v2-core/build/UniswapV2Pair.json",
        "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
    ],
)
def test_creation_code_of_npm_packages_is_plain_hex(path: str) -> None:
    assert len(bytes.fromhex(npm_artifact(path).creation_code)) > 1000


def test_creation_code_of_balancer_deployments_is_plain_hex() -> None:
    assert len(bytes.fromhex(balancer_artifact("20210418-vault", "Vault").creation_code)) > 1000


def test_creation_code_of_our_own_contracts_is_plain_hex() -> None:
    assert len(bytes.fromhex(own_artifact("PriceFeed").creation_code)) > 100


def test_linking_puts_every_library_in() -> None:
    artifact = npm_artifact(POOL)
    names = {name for libraries in artifact.link_references.values() for name in libraries}
    library = Address("0x" + "ab" * 20)
    linked = artifact.linked(dict.fromkeys(names, library))
    assert "_" in artifact.creation_code
    assert len(bytes.fromhex(linked.creation_code)) > 1000
    assert library[2:] in linked.creation_code


def test_a_missing_package_names_the_cure() -> None:
    with pytest.raises(DevnetError, match="packages are not installed: run `make setup`"):
        npm_artifact("nowhere/Nothing.json")


def test_a_contract_that_is_not_built_names_the_cure() -> None:
    with pytest.raises(DevnetError, match="contracts are not built: run `make setup`"):
        own_artifact("Nothing")
