"""Secrets: read from where they lie when they are used, refused where others can read them, shown nowhere."""

import os
from pathlib import Path

import pytest
from tests.support.config_sample import sample

from headrace.app.config.secret import Endpoint, Secret
from headrace.app.config.shown import to_yaml
from headrace.errors import ConfigError


def private(tmp_path: Path, data: bytes) -> Path:
    file = tmp_path / "secret"
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def piped(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


@pytest.mark.parametrize("data", [b"hunter2", b"hunter2\n", b"hunter2\r\nmore\n"])
def test_the_first_line_of_a_private_file_is_the_secret(tmp_path: Path, data: bytes) -> None:
    assert Secret(file=private(tmp_path, data)).reveal() == "hunter2"


def test_a_descriptor_gives_its_secret() -> None:
    reader = piped(b"hunter2\n")
    try:
        assert Secret(fd=reader).reveal() == "hunter2"
    finally:
        os.close(reader)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path, b"hunter2")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        Secret(file=file).reveal()


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "empty"), (b"\nx", "empty"), (b"\xff\xfe", "UTF-8"), (b"x" * 4097, "4096")]
)
def test_what_is_no_secret_is_refused_without_quoting_it(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        Secret(file=private(tmp_path, data)).reveal()
    assert caught.value.__cause__ is None


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Secret(file=tmp_path / "none").reveal()
    with pytest.raises(ConfigError, match="open the descriptor"):
        Secret(fd=987).reveal()


@pytest.mark.parametrize(
    "data", [b"key123", b"wss:///key", b"wss://host:99999/key", b"ftp://host/key", b"ws://[::1/key"]
)
def test_a_secret_that_is_no_url_is_refused_without_quoting_it(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ConfigError, match="not a URL") as caught:
        Endpoint(secret=Secret(file=private(tmp_path, data))).reveal()
    assert data.decode() not in str(caught.value)


def test_nothing_that_is_printed_shows_a_secret(tmp_path: Path) -> None:
    secret = Secret(file=private(tmp_path, b"wss://node/key"))
    endpoint = Endpoint(secret=secret)
    assert endpoint.reveal() == "wss://node/key"
    assert Endpoint(secret=Secret(file=private(tmp_path, b"/run/node.ipc"))).reveal() == "/run/node.ipc"
    assert (repr(secret), repr(endpoint)) == ("Secret(hidden)", "Endpoint(hidden)")
    assert repr(Endpoint(url="ws://127.0.0.1")) == "Endpoint(ws://127.0.0.1)"
    assert "file: /etc/headrace/secrets/relay" in to_yaml(sample())
    assert "fd: 7" in to_yaml(sample())
