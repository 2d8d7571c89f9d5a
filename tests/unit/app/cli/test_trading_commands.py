"""`run`, `demo`, `scan`, `quote`, `status`: what the flags become, and what a live run needs."""

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
import structlog
from rich.console import Console
from tests.support.config_sample import SAMPLE

from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.quote_request import QuoteRequest

OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


class Done(msgspec.Struct, frozen=True):
    profit_wei: int = 5
    exit_code: int = 0


class Work:
    """Stands for the work behind a command and keeps what it was called with."""

    def __init__(self) -> None:
        self.options: dict[str, object] = {}
        self.result: object = Done()

    def __call__(self, **options: object) -> object:
        report = options.pop("report")
        assert callable(report)
        report("working")
        structlog.get_logger().info("logged")
        self.options = options
        return self.result


@pytest.mark.parametrize(
    ("work", "options"),
    [
        ("demo:run_demo", {"seed", "blocks", "block_time_seconds"}),
        ("agents:run", {"config", "is_live", "passphrase", "blocks"}),
        ("scan:scan", {"config", "chain", "listen_seconds"}),
        ("pending:watch", {"config", "chain", "seconds"}),
        ("quote:quote", {"config", "chain", "tokens", "request"}),
        ("market.quoting:quote_snapshot", {"snapshot", "request"}),
        ("status:status", {"config"}),
        ("release:release", {"config", "by"}),
    ],
)
def test_the_work_behind_each_command_takes_these_options(work: str, options: set[str]) -> None:
    name, function = work.split(":")
    module = import_module(f"headrace.app.{name}")
    parameters = inspect.signature(getattr(module, function)).parameters
    assert set(parameters) == options | {"report"}
    assert len(inspect.signature(module.render).parameters) == 2


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()

    def render(result: object, console: Console) -> None:
        console.print(f"drawn {result}")

    for name, function in (("demo", "run_demo"), ("agents", "run"), ("scan",) * 2, ("quote",) * 2, ("status",) * 2):
        module = ModuleType(name)
        module.__dict__.update({function: work, "render": render})
        monkeypatch.setitem(sys.modules, f"headrace.app.{name}", module)
    return work


@pytest.fixture
def file(tmp_path: Path) -> Path:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("pass")
    passphrase.chmod(0o600)
    text = SAMPLE.replace("{fd: 7}", "{file: passphrase}")
    text = text.replace(
        'keys\n    address: "0x2222222222222222222222222222222222222222"', f'keys\n    address: "{OWNER}"'
    )
    return write(tmp_path, text)


def write(folder: Path, text: str) -> Path:
    file = folder / "headrace.yaml"
    file.write_text(text)
    return file


def test_a_run_is_dry_unless_live_is_asked_for(work: Work, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "--config", str(file), "--blocks", "9"]) == 0
    assert work.options == {"config": load_config(file), "is_live": False, "passphrase": None, "blocks": 9}
    shown = capsys.readouterr()
    assert shown.err.startswith("working\n")
    assert "logged" in shown.err
    assert shown.out.startswith("drawn Done(")


def test_a_live_run_gets_the_configured_passphrase(work: Work, file: Path) -> None:
    assert invoke(["run", "--config", str(file), "--live"]) == 0
    assert (work.options["is_live"], work.options["passphrase"]) == (True, b"pass")


def test_a_passphrase_flag_comes_before_the_configuration(work: Work, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    other.chmod(0o600)
    assert invoke(["run", "-c", str(file), "--live", "--passphrase-file", str(other)]) == 0
    assert work.options["passphrase"] == b"other"


def test_a_live_run_needs_a_wallet(work: Work, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SAMPLE[: SAMPLE.index("  wallet:")] + "  data_dir: data\n"
    assert invoke(["run", "--config", str(write(tmp_path, text)), "--live"]) == 2
    assert "add a `wallet` section (see `headrace wallet create`)" in capsys.readouterr().err
    assert work.options == {}


def test_a_public_mempool_needs_a_private_road_or_consent(
    work: Work, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public = write(tmp_path, file.read_text().replace("      private_rpc: {file: secrets/relay}\n", ""))
    assert invoke(["run", "--config", str(public), "--live"]) == 2
    message = capsys.readouterr().err
    assert "others can copy or front-run them" in message
    assert "set `private_rpc`, or accept it with --allow-public" in message
    assert work.options == {}
    assert invoke(["run", "--config", str(public), "--live", "--allow-public"]) == 0
    assert work.options["is_live"]
    hidden = write(tmp_path, public.read_text().replace("public_mempool: true", "public_mempool: false"))
    assert invoke(["run", "--config", str(hidden), "--live"]) == 0


def test_a_demo_takes_seed_blocks_and_clock(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["demo", "--seed", "7", "--blocks", "3", "--block-time", "0.5", "--json"]) == 0
    assert work.options == {"seed": 7, "blocks": 3, "block_time_seconds": 0.5}
    assert json.loads(capsys.readouterr().out) == {"profit_wei": "5", "exit_code": 0}


def test_a_result_can_end_the_command_with_its_code(work: Work, capsys: pytest.CaptureFixture[str]) -> None:
    work.result = Done(exit_code=1)
    assert invoke(["demo", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
    work.result = {"profit_wei": 1}
    assert invoke(["demo"]) == 0


def test_scan_and_status_get_the_configuration(work: Work, file: Path) -> None:
    assert invoke(["scan", "--config", str(file)]) == 0
    assert work.options == {"config": load_config(file), "chain": "ethereum", "listen_seconds": 0.0}
    assert invoke(["status", "--config", str(file)]) == 0
    assert work.options == {"config": load_config(file)}


def test_a_scan_listens_only_where_pending_transactions_are_followed(
    work: Work, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["scan", "--config", str(file), "--listen", "2"]) == 2
    assert "--listen wants `follow_pending: true` in defi.chains.ethereum" in capsys.readouterr().err
    assert work.options == {}
    assert invoke(["scan", "--config", str(file), "--listen", "-1"]) == 2
    following = file.read_text().replace("public_mempool: true", "public_mempool: true\n      follow_pending: true")
    assert invoke(["scan", "--config", str(write(tmp_path, following)), "--listen", "2"]) == 0
    assert work.options["listen_seconds"] == 2


@pytest.mark.parametrize(
    ("chain", "why"),
    [("etherum", 'did you mean "ethereum"?'), ("base", "known are"), ("other", "no protocols on other")],
)
def test_an_unknown_chain_is_refused(
    work: Work, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], chain: str, why: str
) -> None:
    text = file.read_text()
    other = text[text.index("    ethereum:\n      chain_id") : text.index("  agents:")].replace("ethereum", "other")
    file = write(tmp_path, text.replace("  agents:", f"{other}  agents:"))
    assert invoke(["scan", "--config", str(file), "--chain", chain]) == 2
    assert why in capsys.readouterr().err
    assert work.options == {}


def quote(file: Path, token_in: str, amount: str, *more: str) -> int:
    command = ["quote", "--config", str(file), "--token-in", token_in, "--token-out", "USDC", "--amount", amount]
    return invoke([*command, *more])


def test_a_quote_names_tokens_by_symbol_or_address(work: Work, file: Path) -> None:
    assert quote(file, "WETH", "1.5", "--chain", "ethereum") == 0
    assert work.options == {
        "config": load_config(file),
        "chain": "ethereum",
        "tokens": ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),
        "request": QuoteRequest("WETH", "USDC", "1.5"),
    }
    assert quote(file, OWNER, "1") == 0
    assert work.options["tokens"] == (OWNER.lower(), "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")


def test_a_depth_is_written_in_basis_points_or_percent(work: Work, file: Path) -> None:
    texts = ("50", "50bps", "0.5%", "0.01 bps", "99.9999%")
    assert quote(file, "WETH", "1", *(word for text in texts for word in ("--depth", text))) == 0
    request = work.options["request"]
    assert isinstance(request, QuoteRequest)
    assert request.moves_pips == (5000, 5000, 5000, 1, 999_999)


@pytest.mark.parametrize(
    ("depths", "why"),
    [
        (["0"], "not between 0 and 10000 bps"),
        (["100%"], "not between 0 and 10000 bps"),
        (["0.001bps"], "too fine"),
        (["50 basis points"], "is not a plain decimal number"),
        (["-50"], "has a sign"),
        (["%"], "is not a plain decimal number"),
        (["1"] * 11, "at most 10"),
    ],
)
def test_a_depth_of_nonsense_is_refused(
    work: Work, file: Path, capsys: pytest.CaptureFixture[str], depths: list[str], why: str
) -> None:
    assert quote(file, "WETH", "1", *(word for text in depths for word in ("--depth", text))) == 2
    assert why in capsys.readouterr().err
    assert work.options == {}


@pytest.mark.parametrize(
    ("token", "amount", "why"),
    [
        ("WHET", "1", 'did you mean "WETH"?'),
        ("DOGE", "1", "known are WETH, USDC"),
        (OWNER[:-1] + "9", "1", "wrong checksum"),
        ("USDC", "1", "are the same token"),
        ("WETH", "0", "above 0"),
        ("WETH", "1e18", "exponent"),
        ("WETH", "inf", "finite"),
    ],
)
def test_a_quote_of_nonsense_is_refused(
    work: Work, file: Path, capsys: pytest.CaptureFixture[str], token: str, amount: str, why: str
) -> None:
    assert quote(file, token, amount) == 2
    assert why in capsys.readouterr().err
    assert work.options == {}


def test_progress_on_a_terminal_is_a_spinner(
    work: Work, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert invoke(["demo", "--json"]) == 0
    assert "\x1b[" in capsys.readouterr().err
    assert work.options
