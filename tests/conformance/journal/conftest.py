from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.adapters.stores.memory import MemoryJournal
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.ports.journal import Journal


def _memory(_path: Path) -> Journal:
    return MemoryJournal()


def _sqlite(path: Path) -> Journal:
    return SqliteJournal(path / "journal.db")


@pytest.fixture(params=[_memory, _sqlite], ids=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    make: Callable[[Path], Journal] = request.param
    opened = make(tmp_path)
    yield opened
    opened.close()
