from collections.abc import Iterator

import pytest

from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc


@pytest.fixture(scope="package")
def anvil() -> Iterator[Anvil]:
    with Anvil.start() as running:
        yield running


@pytest.fixture
def rpc(anvil: Anvil) -> Iterator[Rpc]:
    with anvil.connect() as connection:
        connection.request("anvil_dropAllTransactions")
        yield connection
