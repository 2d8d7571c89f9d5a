"""The file of verdicts: what is written is read, and what cannot be true is refused by name."""

import json
from pathlib import Path

import pytest

from headrace.adapters.stores.verdicts import VerdictFile
from headrace.errors import StoreError
from headrace.model.address import Address, ChainId
from headrace.model.token_verdict import Lie, TokenVerdict

CHAIN = ChainId(1)
FIT = TokenVerdict(Address("0x" + "11" * 20), is_fit=True, lie=None, detail="", checked_block=5, expires_block=9)
UNFIT = TokenVerdict(
    Address("0x" + "22" * 20), is_fit=False, lie=Lie.REBASES, detail="it grows", checked_block=5, expires_block=9
)
SILENT = TokenVerdict(
    Address("0x" + "33" * 20), is_fit=True, lie=Lie.RETURNS_NOTHING, detail="", checked_block=2**40, expires_block=2**40
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = VerdictFile(tmp_path / "data" / "tokens.json", CHAIN)
    assert file.read() == ()
    file.write([FIT, UNFIT, SILENT])
    assert file.read() == (FIT, UNFIT, SILENT)
    file.write([FIT])
    assert file.read() == (FIT,)
    assert [path.name for path in file.path.parent.iterdir()] == ["tokens.json"]


def document(**changed: object) -> str:
    verdict = {
        "token": FIT.token,
        "is_fit": True,
        "lie": None,
        "detail": "",
        "checked_block": 5,
        "expires_block": 9,
    }
    verdict |= {key: value for key, value in changed.items() if key in verdict}
    top = {"version": 1, "chain_id": 1, "verdicts": [verdict]}
    return json.dumps(top | {key: value for key, value in changed.items() if key not in verdict})


def test_the_document_as_such_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(document())
    assert VerdictFile(path, CHAIN).read() == (FIT,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "truncated"),
        (document()[:-10], "truncated"),
        ("[" * 100_000, "delete it"),
        (document(version=2), "version 2"),
        (document(chain_id=5), "chain 5"),
        (document(colour="red"), "colour"),
        (document(lie="sleeps"), "sleeps"),
        (document(lie="rebases"), "is fit and lies"),
        (document(is_fit=False), "is fit and lies"),
        (document(checked_block=10), "expires before"),
        (document(checked_block="five"), "checked_block"),
        (document(verdicts=2 * json.loads(document())["verdicts"]), "listed twice"),
    ],
)
def test_a_file_that_cannot_be_true_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"tokens\.json") as raised:
        VerdictFile(path, CHAIN).read()
    assert why in str(raised.value)


def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        VerdictFile(path, CHAIN).read()
    with pytest.raises(StoreError, match="cannot be written"):
        VerdictFile(path, CHAIN).write([FIT])
