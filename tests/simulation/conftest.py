from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def every_log_line_is_told() -> Iterator[None]:
    """Whatever level a command that ran before in this process has set."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
