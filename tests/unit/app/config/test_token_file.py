"""Lists of tokens in files of their own."""

from pathlib import Path

import pytest
from tests.support.config_sample import EXECUTOR, SAMPLE

from headrace.app.config.load import load_config, parse_config
from headrace.app.config.shown import shown
from headrace.app.config.tree import Config
from headrace.errors import ConfigError

ONE, OTHER = "0x" + "a1" * 20, "0x" + "b2" * 20
FILE = "tokens.txt"


def configured(folder: Path, said: bytes, keys: str = f"blocked_file: {FILE}") -> Config:
    (folder / FILE).write_bytes(said)
    text = SAMPLE.replace("      price_feeds:", f"      token_check: {{{keys}}}\n      price_feeds:", 1)
    return parse_config(text, folder / "config.yaml")


def test_a_file_is_read_beside_the_list_with_its_comments_and_blank_lines(tmp_path: Path) -> None:
    said = f"# taken from an audit\n\n{ONE}\n  {OTHER}  # a tax on sale\n".encode()
    rules = configured(tmp_path, said, f'blocked: ["{EXECUTOR}"], blocked_file: {FILE}').chain.token_check
    assert rules.all_blocked == (EXECUTOR.lower(), ONE, OTHER)
    assert rules.all_allowed == ()
    assert configured(tmp_path, said, f"allowed_file: {FILE}").chain.token_check.all_allowed == (ONE, OTHER)


def test_an_empty_file_lists_nothing(tmp_path: Path) -> None:
    assert configured(tmp_path, b"# none yet\n").chain.token_check.all_blocked == ()


def test_the_configuration_is_shown_with_the_files_path(tmp_path: Path) -> None:
    assert str(tmp_path / FILE) in str(shown(configured(tmp_path, ONE.encode())))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"{ONE}\n0x12\n".encode(), r"tokens.txt:2:1: .*'0x12' is not an address"),
        (f"{ONE}\n\n{ONE.upper().replace('X', 'x')}\n".encode(), r"tokens.txt:3:1: .*already listed in line 1"),
        (f"{ONE} {OTHER}\n".encode(), "tokens.txt:1:1: .*is not an address"),
        (f"{ONE}\n\xff\n".encode("latin-1"), "tokens.txt:2:1: .*not UTF-8"),
        (b"#" * (1 << 24) + b"#", "larger than 16 MB"),
    ],
    ids=["no address", "twice", "two in a line", "not text", "too large"],
)
def test_a_file_that_is_no_such_list_is_refused_with_its_line(tmp_path: Path, said: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        configured(tmp_path, said)


def test_a_token_on_two_lists_is_refused_whichever_way_it_got_there(tmp_path: Path) -> None:
    keys = f'allowed: ["{ONE}"], blocked_file: {FILE}'
    with pytest.raises(ConfigError, match=r"config.yaml:\d+.*in this file was already listed by line \d+: choose one"):
        configured(tmp_path, ONE.encode(), keys)
    with pytest.raises(ConfigError, match="choose one"):
        configured(tmp_path, ONE.encode(), f"allowed_file: {FILE}, blocked_file: {FILE}")


def test_a_file_that_is_not_there_is_named_with_the_line_that_names_it(tmp_path: Path) -> None:
    text = SAMPLE.replace("      price_feeds:", "      token_check: {allowed_file: none.txt}\n      price_feeds:", 1)
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"config.yaml:\d+:\d+: .*none.txt cannot be read \(No such file"):
        load_config(file)
