"""A run in numbers: the document of `headrace demo --json`, and what it must show to be believed."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from headrace.model.address import Address, Hash32
from headrace.model.execution import Execution, is_explained
from headrace.model.intent import IntentStatus
from headrace.model.token import Token

ENGINES = ("own_capital", "flash_loan", "flash_swap")
_LANDED_MIN = 5
_LATE = "DeadlinePassed"
_REPORTED_AS = {
    IntentStatus.LANDED: "landed",
    IntentStatus.REVERTED: "reverted",
    IntentStatus.CANCELLED: "cancelled",
}


class ExecutionRow(msgspec.Struct, frozen=True):
    """One execution; `_wei` amounts are in the smallest unit of the token that they name, native for `_native_wei`.

    `engines_refused` were tried before `engine`, each with what stopped it.
    """

    engine: str
    strategy: str
    route: str
    profit_token: str
    profit_token_decimals: int
    amount_in_wei: int
    quoted_profit_wei: int
    realised_profit_wei: int | None
    net_profit_native_wei: int
    gas_used: int
    gas_cost_wei: int
    tx_hash: Hash32 | None
    block: int | None
    quoted_block: int
    clean: bool | None
    status: str
    slippage_bps: int | None
    latency_ms: float | None
    cause: str
    engines_refused: tuple[str, ...] = ()


class OpportunityCounts(msgspec.Struct, frozen=True):
    """How many reached each stage; `edge_bps_median` is the median gross edge of the cycles found, None without any."""

    found: int
    validated: int
    rehearsed: int
    sent: int
    edge_bps_median: int | None


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from the first frame that announced a block to the node's acceptance of a transaction."""

    p50: float | None
    p99: float | None
    count: int


class RunReport(msgspec.Struct, frozen=True):
    """A whole run; a demonstration also says what it still owes its viewer, and then has an exit code other than 0."""

    blocks: int
    opportunities: OpportunityCounts
    executions: tuple[ExecutionRow, ...]
    refusals: Mapping[str, int]
    parity_wei_max: int
    latency_ms: Latency
    net_profit_native_wei: int
    final_block_hash: Hash32 | None = None
    seed: int | None = None
    shortcomings: tuple[str, ...] = ()
    exit_code: int = 0


def summarise(
    *,
    blocks: int,
    counts: OpportunityCounts,
    executions: Sequence[Execution],
    refusals: Mapping[str, int],
    tokens: Mapping[Address, Token],
) -> RunReport:
    """Fold executions into the report; parity is the largest deviation of a clean landed one, 0 without any."""
    deviations = [abs(e.deviation_units) for e in executions if e.is_clean and e.deviation_units is not None]
    latencies = sorted(e.latency_ms for e in executions if e.latency_ms is not None)
    return RunReport(
        blocks=blocks,
        opportunities=counts,
        executions=tuple(_row(execution, tokens) for execution in executions),
        refusals=dict(sorted(refusals.items())),
        parity_wei_max=max(deviations, default=0),
        latency_ms=Latency(percentile(latencies, 50), percentile(latencies, 99), len(latencies)),
        net_profit_native_wei=sum(execution.net_profit_native_wei for execution in executions),
    )


def shortcomings(report: RunReport) -> list[str]:
    """What a demonstration still owes its viewer, beside `contradictions`; empty when it has shown everything."""
    landed = [row for row in report.executions if row.status == "landed"]
    missing = [engine for engine in ENGINES if engine not in {row.engine for row in landed}]
    found = []
    if len(landed) < _LANDED_MIN:
        found.append(f"only {len(landed)} executions landed, {_LANDED_MIN} are wanted")
    found += [f"the engine {engine} never landed" for engine in missing]
    if not any(row.clean for row in landed):
        found.append("no execution was clean, so parity is not shown")
    return found


def contradictions(report: RunReport) -> list[str]:
    """What no run may show, however short and whoever won the races; empty when the report can be believed."""
    reverted = [row for row in report.executions if row.status == "reverted"]
    found = [f"{row.tx_hash} reverted without a known cause" for row in reverted if not is_explained(row.cause)]
    found += [
        f"{row.tx_hash} reverted although nothing came between its quote and it: {row.cause}"
        for row in reverted
        if row.clean and not row.cause.startswith(_LATE)
    ]
    if report.parity_wei_max != 0:
        found.append(f"a clean execution missed its quote by {report.parity_wei_max} wei")
    return found


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Nearest-rank percentile of ascending values."""
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def _row(execution: Execution, tokens: Mapping[Address, Token]) -> ExecutionRow:
    token = tokens[execution.profit_token]
    return ExecutionRow(
        engine=execution.engine,
        strategy=execution.strategy,
        route=execution.route,
        profit_token=token.symbol,
        profit_token_decimals=token.decimals,
        amount_in_wei=execution.amount_in_units,
        quoted_profit_wei=execution.quoted_profit_units,
        realised_profit_wei=execution.realised_profit_units,
        net_profit_native_wei=execution.net_profit_native_wei,
        gas_used=execution.gas_used,
        gas_cost_wei=execution.gas_cost_wei,
        tx_hash=execution.tx_hash,
        block=execution.block_number,
        quoted_block=execution.quoted_block,
        clean=execution.is_clean,
        status=_REPORTED_AS.get(execution.status, "pending"),
        slippage_bps=execution.slippage_bps,
        latency_ms=execution.latency_ms,
        cause=execution.cause,
        engines_refused=execution.engines_refused,
    )
