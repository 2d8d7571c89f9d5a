"""A protocol against deployed bytecode: the conformance suite's own cases, counted.

Exact inputs: each of the suite's 10,000 swaps is asked of the contract and of us. Exact outputs: for the least input
that we name the contract must pay the amount, and for one unit less it must not.
"""

import time
from collections.abc import Sequence
from importlib import import_module

from headrace.devnet.anvil import Anvil
from headrace.errors import UnquotableError
from headrace.model.block import BlockContext
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, Subject, draw_cases, quote
from tests.conformance.protocols.suite import LEAST_CASES, SEED, read_states, recorded
from tests.parity import registry
from tests.parity.measured import Measured


def measure(entry: registry.Subject) -> Measured:
    """Start a chain, deploy, compare."""
    began = time.monotonic()
    module, _, name = entry.maker.partition(":")
    with Anvil.start() as anvil, anvil.connect() as rpc:
        subject: Subject = getattr(import_module(module), name)(LocalChain(anvil, rpc))
        recording = recorded(subject)
        ours = [quote(subject, case, recording.at) for case in recording.cases]
        out = [pair for pair in zip(ours, recording.answers, strict=True) if pair[0] != pair[1]]
        asked, wrong_in, deviation_in = _exact_outputs(subject, recording.at)
    return Measured(
        protocol=entry.protocol,
        source="bytecode",
        what=f"{len(recording.states)} {entry.label} pools",
        out_cases=len(recording.cases),
        in_cases=asked,
        refusals=sum(answer is None for answer in recording.answers),
        out_deviation_wei_max=deviation(out),
        in_deviation_wei_max=deviation_in,
        mismatches=len(out) + wrong_in,
        seconds=round(time.monotonic() - began, 1),
    )


def deviation(pairs: Sequence[tuple[int | None, int | None]]) -> int:
    """The largest difference of two amounts; a refusal against an amount has none."""
    return max((abs(mine - theirs) for mine, theirs in pairs if mine is not None and theirs is not None), default=0)


def _exact_outputs(subject: Subject, at: BlockContext) -> tuple[int, int, int]:
    """How many were asked, how many were wrong, and by how many units of output an input fell short at most."""
    cases = draw_cases(subject, read_states(subject), LEAST_CASES, SEED + 1)
    asked = [(case, answer) for case, answer in zip(cases, subject.ask_contract(cases), strict=True) if answer]
    least = [_least(subject, case, answer, at) for case, answer in asked]
    answered = [(case, wanted, x) for (case, wanted), x in zip(asked, least, strict=True) if x is not None]
    reached = subject.ask_contract([case._replace(amount_in=x) for case, _, x in answered])
    under = subject.ask_contract([case._replace(amount_in=x - 1) for case, _, x in answered])
    wrong = len(asked) - len(answered)
    worst = 0
    for (_, wanted, _), got, less in zip(answered, reached, under, strict=True):
        falls_short, is_too_much = got is None or got < wanted, less is not None and less >= wanted
        wrong += falls_short or is_too_much
        worst = max(worst, wanted - (got or 0)) if falls_short else max(worst, int(is_too_much))
    return len(asked), wrong, worst


def _least(subject: Subject, case: Case, amount_out: int, at: BlockContext) -> int | None:
    try:
        return subject.dex.quote_in(case.state, case.token_in, case.token_out, amount_out, at)
    except UnquotableError:
        return None
