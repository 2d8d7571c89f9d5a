"""One local chain per protocol's module."""

from collections.abc import Iterator

import pytest
from tests.conformance.protocols.executed import Trial, tried
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Subject
from tests.conformance.protocols.suite import History, Recording, lived, recorded

from headrace.devnet.anvil import Anvil


@pytest.fixture(scope="module")
def local_chain() -> Iterator[LocalChain]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield LocalChain(anvil, rpc)


@pytest.fixture(scope="module")
def recording(subject: Subject) -> Recording:
    return recorded(subject)


@pytest.fixture(scope="module")
def history(subject: Subject, recording: Recording) -> History:
    del recording  # it stands on the state before
    return lived(subject)


@pytest.fixture(scope="module")
def trial(subject: Subject) -> Trial:
    return tried(subject)
