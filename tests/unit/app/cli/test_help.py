"""Help is quick because it loads nothing heavy: what is imported is compared, not seconds."""

import json
import subprocess
import sys

import pytest

from headrace.app.cli.invocation import invoke

COMMANDS: tuple[list[str], ...] = (
    [],
    ["demo"],
    ["run"],
    ["scan"],
    ["quote"],
    ["pending"],
    ["status"],
    ["release"],
    ["doctor"],
    ["market"],
    ["market", "snapshot"],
    ["market", "import"],
    ["market", "record"],
    ["market", "replay"],
    ["market", "show"],
    ["market", "check"],
    ["market", "schema"],
    ["plan"],
    ["plan", "decode"],
    ["contracts"],
    ["contracts", "deploy"],
    ["contracts", "verify"],
    ["contracts", "roles"],
    ["contracts", "allowlist"],
    ["devnet"],
    ["devnet", "up"],
    ["devnet", "down"],
    ["devnet", "status"],
    ["wallet"],
    ["wallet", "create"],
    ["wallet", "list"],
    ["wallet", "address"],
    ["wallet", "import"],
    ["wallet", "export"],
    ["config"],
    ["config", "check"],
    ["config", "show"],
    ["config", "schema"],
)
GROUPS: tuple[list[str], ...] = ([], ["market"], ["plan"], ["contracts"], ["devnet"], ["wallet"], ["config"])
HEAVY = ("numba", "numpy", "sqlalchemy", "eth_abi", "websockets", "cryptography", "coincurve", "asyncio", "structlog")
SCRIPT = """
import json, sys
from headrace.app.cli.invocation import invoke
codes = [invoke([*command, "--help"]) for command in json.loads(sys.argv[1])]
loaded = sorted(set(json.loads(sys.argv[2])) & set(sys.modules))
ours = sorted(m for m in sys.modules if m.startswith(("headrace.adapters", "headrace.devnet", "headrace.pipeline")))
sys.stderr.write(json.dumps([codes, loaded, ours]))
"""


def test_no_help_imports_anything_heavy() -> None:
    arguments = [sys.executable, "-c", SCRIPT, json.dumps(COMMANDS), json.dumps(HEAVY)]
    done = subprocess.run(arguments, capture_output=True, check=True)
    assert json.loads(done.stderr) == [[0] * len(COMMANDS), [], []]


def test_the_comparison_sees_a_heavy_import() -> None:
    script = SCRIPT.replace("import json, sys\n", "import json, sys, websockets, numpy\n")
    arguments = [sys.executable, "-c", script, json.dumps([[]]), json.dumps(HEAVY)]
    done = subprocess.run(arguments, capture_output=True, check=True)
    assert {"websockets", "numpy"} <= set(json.loads(done.stderr)[1])


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in GROUPS], ids=" ".join)
def test_every_command_has_help_and_json(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert len(shown) > 200
