"""`python -m benchmarks [names] [--json] [--quick]`: all benchmarks, or the named ones."""

import argparse
import sys
from importlib import import_module

import msgspec

from benchmarks.measure import QUICK, Answer, Effort, machine
from headrace.errors import HeadraceError

NAMES = (
    "uniswap_v2_quote",
    "uniswap_v3_quote",
    "search_cycles",
    "sync_decode",
    "market_scale",
    "pool_sync",
    "log_to_signed",
    "devnet_latency",
)


def answer(name: str, effort: Effort) -> Answer:
    """Run one benchmark."""
    found = import_module(f"benchmarks.{name}").run(effort)
    assert isinstance(found, Answer)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios against named rivals in the same run.")
    parser.add_argument(
        "names", nargs="*", metavar="name", choices=[*NAMES, []], help=f"which of {', '.join(NAMES)}; all by default"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs, proves nothing")
    chosen = parser.parse_args(arguments)
    effort = QUICK if chosen.quick else Effort()
    facts, answers = machine(), {}
    if not chosen.json:
        print("  ".join(f"{name} {value}" for name, value in facts.items()))
    for name in chosen.names or NAMES:
        try:
            answers[name] = answer(name, effort)
        except HeadraceError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        if not chosen.json:
            _print(name, answers[name])
    if chosen.json:
        print(_document(facts, answers))
    return 0


def _print(name: str, found: Answer) -> None:
    print(f"\n{name}")
    for line in (*(figure.text() for figure in found.figures), *found.notes):
        print(f"  {line}", flush=True)


def _document(facts: dict[str, str], answers: dict[str, Answer]) -> str:
    benchmarks = {
        name: {
            "figures": [
                {**msgspec.to_builtins(figure), "ratio": figure.ratio, "is_met": figure.goal.is_met(figure.ratio)}
                for figure in found.figures
            ],
            "notes": list(found.notes),
        }
        for name, found in answers.items()
    }
    return msgspec.json.encode({"machine": facts, "benchmarks": benchmarks}).decode()


if __name__ == "__main__":
    sys.exit(main())
