"""What follows from a chain's kind before anything is opened."""

import asyncio
from pathlib import Path

import pytest
from tests.support.config_sample import SAMPLE

from headrace.app.audit import open_audit
from headrace.app.cli.live import require_live
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.errors import ConfigError, UsageError


def config_of_kind(folder: Path, kind: str) -> Config:
    (folder / "c.yaml").write_text(SAMPLE.replace("      chain_id: 1\n", f"      chain_id: 1\n      kind: {kind}\n"))
    return load_config(folder / "c.yaml")


def test_a_chain_whose_contracts_see_another_block_number_is_not_traded_live(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no deadline: run it without --live"):
        require_live(config_of_kind(tmp_path, "arbitrum"), allow_public=True)
    assert require_live(config_of_kind(tmp_path, "optimism"), allow_public=True)


def test_a_chain_whose_receipts_cannot_be_proven_has_no_audit(tmp_path: Path) -> None:
    async def has_audit(kind: str) -> bool:
        async with open_audit(config_of_kind(tmp_path, kind).chain) as audit:
            return audit is not None

    kinds = ("ethereum", "polygon", "optimism", "arbitrum", "other")
    assert [asyncio.run(has_audit(kind)) for kind in kinds] == [True, False, False, False, True]


def test_a_kind_that_is_none_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='did you mean "optimism"'):
        config_of_kind(tmp_path, "optimisn")
