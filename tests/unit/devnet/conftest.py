from collections.abc import Iterator

import pytest

from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc
from headrace.devnet.world import Devnet

SEED = 7


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    with Anvil.start() as anvil:
        yield anvil


@pytest.fixture
def rpc(chain: Anvil) -> Iterator[Rpc]:
    with chain.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet.start(SEED) as running:
        yield running
