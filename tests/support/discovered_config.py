"""A configuration of one local chain whose venues list no pool, and the commands on it as users give them."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
import yaml

from headrace.adapters.stores.catalogue.file import VERSION
from headrace.app.cli.invocation import invoke
from headrace.app.discovery.discovering import DiscoveryReport
from headrace.app.quote import QuoteReport
from headrace.model.address import Address
from headrace.model.codec import JsonValue
from tests.support.places import PROJECT

CHAIN = "local"
Capture = pytest.CaptureFixture[str]
Report = TypeVar("Report")
_DISCOVERING = """
import sys
from headrace.app.cli.invocation import invoke
from headrace.app.discovery import discovering
discovering._NS_BETWEEN_REPORTS = 0
invoke(["market", "discover", "--config", sys.argv[1], "--json"])
"""
_NOBODY = "0x" + "11" * 20


def discovering_config(
    folder: Path, *, rpc: str, tokens: Mapping[str, Address], venues: Mapping[str, JsonValue], **chain: JsonValue
) -> Path:
    """Write it; every token is taken for honest, the first one wraps the native coin."""
    first = next(iter(tokens))
    gas = {"ultra_low_gwei": 0.1, "low_gwei": 0.5, "medium_gwei": 2, "high_gwei": 5, "extreme_gwei": 10}
    section: dict[str, JsonValue] = {
        "chain_id": 31337,
        "rpc": rpc,
        "block_time_seconds": 1,
        "public_mempool": False,
        "reorg_depth_blocks": 1,
        "wrapped_native": first,
        "start_tokens": [first],
        "gas_thresholds": {name: str(level) for name, level in gas.items()},
        "tokens": dict(tokens),
        "price_feeds": {},
        "token_check": {"allowed": list(tokens.values())},
        **chain,
    }
    document = {
        "strategies": {
            "arbitrage": {
                "min_profit_usd": 1,
                "min_spread_bps": 1,
                "max_trade_size_usd": 1000,
                "max_position_usd": 1000,
            }
        },
        "execution": {
            "flash_loan": {"contract_address": _NOBODY, "max_gas_price_gwei": 100, "lenders": []},
            "capital": {"max_allocation_pct": "0.5"},
            "transactions": {
                "gas_limit_multiplier": "1.2",
                "confirmations": 1,
                "deadline_blocks": 2,
                "priority_fee_gwei": 1,
            },
        },
        "risk": {
            "max_daily_loss_usd": 100,
            "max_position_count": 10,
            "max_concurrent_executions": 3,
            "max_execution_time_seconds": 300,
        },
        "protocols": {CHAIN: dict(venues)},
        "chains": {CHAIN: section},
        "agents": [{"type": "arbitrage", "chain": CHAIN, "strategies": ["spatial"]}],
        "data_dir": str(folder / "data"),
    }
    file = folder / "headrace.yaml"
    file.write_text(yaml.safe_dump({"defi": document}, sort_keys=False))
    return file


def discovered(capsys: Capture, config: Path, *options: str) -> DiscoveryReport:
    """What `headrace market discover` finds."""
    return _printed(capsys, DiscoveryReport, "market", "discover", "--config", str(config), *options)


def quoted(capsys: Capture, config: Path, token_in: str, token_out: str, amount: str) -> QuoteReport:
    """What `headrace quote` says."""
    swap = ("--token-in", token_in, "--token-out", token_out, "--amount", amount)
    return _printed(capsys, QuoteReport, "quote", "--config", str(config), *swap)


def sound(report: DiscoveryReport) -> list[str]:
    """Pools that nothing speaks against."""
    return [row.pool for venue in report.venues for row in venue.pools if not row.flaw]


def refused(report: DiscoveryReport) -> dict[str, str]:
    """Why each of the other pools is refused."""
    return {row.pool: row.flaw for venue in report.venues for row in venue.pools if row.flaw}


def through(config: Path, url: str) -> Path:
    """The same configuration and data, with another way to the node."""
    document = yaml.safe_load(config.read_text())
    document["defi"]["chains"][CHAIN]["rpc"] = url
    other = config.with_name("through.yaml")
    other.write_text(yaml.safe_dump(document))
    return other


def killed_while_discovering(config: Path, lines: int) -> int:
    """SIGKILL to a discovery that has told of its progress so many times; up to which block it has kept its pools."""
    command = [sys.executable, "-c", _DISCOVERING, str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=PROJECT) as process:
        assert process.stderr is not None
        for _ in range(lines):
            assert process.stderr.readline()
        process.send_signal(signal.SIGKILL)
    (file,) = (config.parent / "data" / "discovery").glob("*.jsonl")
    heading, *lines_kept = file.read_bytes().rpartition(b"\n")[0].splitlines()
    assert msgspec.json.decode(heading)["version"] == VERSION
    return int(msgspec.json.decode(lines_kept[-1])["last"]["number"])


def _printed(capsys: Capture, kind: type[Report], *command: str) -> Report:
    code = invoke([*command, "--json"])
    printed = capsys.readouterr().out
    assert code == 0, printed
    return msgspec.json.decode(printed, type=kind, strict=False)
