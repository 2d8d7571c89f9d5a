"""Where recorded data lies beside the project; tests that need it skip where it is absent."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def shared_data(name: str) -> Path:
    path = PROJECT.parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"recorded data ../shared/data/{name} is not here")
    return path
