from pathlib import Path

import pytest
from tests.unit.devnet.conftest import SEED

from headrace.devnet import artifacts
from headrace.devnet.anvil import Anvil
from headrace.devnet.world import Devnet
from headrace.errors import DevnetError


def test_no_chain_is_left_behind_when_the_market_cannot_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    stop = Anvil.stop

    def noted(anvil: Anvil) -> None:
        stop(anvil)
        stopped.append(anvil.pid)

    monkeypatch.setattr(artifacts, "CONTRACTS_OUT", tmp_path)
    monkeypatch.setattr(Anvil, "stop", noted)
    with pytest.raises(DevnetError, match="contracts are not built"):
        Devnet.start(SEED)
    assert len(stopped) == 1


def test_a_stopped_devnet_does_not_answer() -> None:
    devnet = Devnet.start(SEED)
    devnet.stop()
    assert not devnet.anvil.is_running
