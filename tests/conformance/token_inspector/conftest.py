"""One chain of liars for all tests."""

from collections.abc import Iterator

import pytest
from tests.conformance.token_inspector.lying_market import LyingMarket

from headrace.devnet.anvil import Anvil


@pytest.fixture(scope="module")
def market() -> Iterator[LyingMarket]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield LyingMarket(anvil, rpc)
