"""Everything that doctor looks at, in the order in which one thing stands on another."""

import asyncio
from pathlib import Path

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.app.cli.doctor.contracts import (
    allowance_findings,
    contract_findings,
    operator_findings,
    price_findings,
)
from headrace.app.cli.doctor.executor_state import executor_findings
from headrace.app.cli.doctor.finding import Diagnosis, Finding, diagnosis, fail, ok
from headrace.app.cli.doctor.key import key_findings
from headrace.app.cli.doctor.node import node_findings, unreachable
from headrace.app.cli.doctor.storage import storage_findings
from headrace.app.cli.doctor.tokens import token_findings
from headrace.app.cli.progress import Report
from headrace.app.clock import SystemClock
from headrace.app.config.load import load_config
from headrace.app.config.secret import Secret
from headrace.app.config.tree import Config
from headrace.errors import ChainError, ConfigError
from headrace.model.address import ChainId


class Patient(msgspec.Struct, frozen=True):
    """What is examined."""

    file: Path
    passphrase: Secret | None


def examine(patient: Patient, report: Report) -> Diagnosis:
    """Look at everything; a failure ends only the checks that stand on it."""
    report("reading the configuration")
    try:
        config = load_config(patient.file)
    except ConfigError as error:
        return diagnosis([fail("config", str(error), "correct the file; `headrace config check` looks again")])
    findings = [ok("config", f"{patient.file} is valid"), *storage_findings(config)]
    report("looking at the wallet")
    findings += key_findings(config, patient.passphrase)
    findings += asyncio.run(_examine_chain(config, report))
    return diagnosis(findings)


async def _examine_chain(config: Config, report: Report) -> list[Finding]:
    findings: list[Finding] = []
    report("asking the node")
    try:
        options = EvmOptions(url=config.chain.rpc.reveal(), chain_id=ChainId(config.chain.chain_id))
        async with EvmChain(options, SystemClock()) as chain:
            await _look_at(chain, config, report, findings)
    except ConfigError as error:
        findings.append(fail("node", str(error), "correct the reference that `rpc` makes"))
    except ChainError as error:
        findings.append(unreachable(error))
    return findings


async def _look_at(chain: EvmChain, config: Config, report: Report, findings: list[Finding]) -> None:
    clock = SystemClock()
    report("waiting for a block")
    findings.extend([finding async for finding in node_findings(chain, config.chain, clock)])
    report("looking at the contracts")
    head = await chain.head()
    findings.extend([finding async for finding in contract_findings(chain, config)])
    findings.extend([finding async for finding in executor_findings(chain, config, head)])
    findings.extend(await operator_findings(chain, config, head))
    findings.extend([finding async for finding in allowance_findings(chain, config, head)])
    findings.extend([finding async for finding in price_findings(chain, config, clock, head)])
    findings.extend([finding async for finding in token_findings(chain, config, head)])
