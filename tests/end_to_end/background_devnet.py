"""A devnet as `headrace devnet up` starts it, and configurations made from the one that it writes."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from headrace.app.cli.devnet_files import write_devnet_files
from headrace.devnet import server
from headrace.devnet.state_dir import RunningDevnet


class BackgroundDevnet(msgspec.Struct, frozen=True):
    """Where it is; `folder` holds its files and the configurations made from its own."""

    running: RunningDevnet
    folder: Path
    config: Path

    @property
    def port(self) -> int:
        port = urlsplit(self.running.http_url).port
        assert port is not None
        return port

    def config_with(self, name: str, changes: Mapping[str, str]) -> Path:
        """Its configuration with each text, which occurs once, replaced by another."""
        text = self.config.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
            text = text.replace(old, new)
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


@contextlib.contextmanager
def devnet_running(folder: Path, block_seconds: float, seed: int = 1) -> Iterator[BackgroundDevnet]:
    running = server.up(folder, seed=seed, block_time_seconds=block_seconds, port=0)
    try:
        yield BackgroundDevnet(running, folder, write_devnet_files(running, folder))
    finally:
        server.down(folder)
