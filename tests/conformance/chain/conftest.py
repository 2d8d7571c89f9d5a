from collections.abc import Iterator

import pytest

from headrace.devnet.anvil import Anvil, AnvilOptions
from headrace.devnet.rpc import Rpc


@pytest.fixture(scope="package")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil.start(AnvilOptions(ipc_path=tmp_path_factory.mktemp("node") / "node.ipc")) as running:
        yield running


@pytest.fixture
def rpc(anvil: Anvil) -> Iterator[Rpc]:
    with anvil.connect() as connection:
        yield connection
