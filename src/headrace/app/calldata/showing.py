"""`headrace plan decode`: what a transaction to the Executor would do, said before it is signed."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING

from headrace.app.calldata.describing import CallShown, PlanShown, StepShown, TokenShown, described, plans_in, tokens_in
from headrace.app.calldata.naming import Names, names_of
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.model.codec import JsonValue
from headrace.model.executor_call import decode_call
from headrace.model.token import decimal_text

if TYPE_CHECKING:
    from rich.console import Console

_BPS_DECIMALS = 2
_FUNDINGS = {
    "own_capital": "own capital",
    "flash_swap": "flash swap: the first step's pool pays before it is paid",
    "balancer_v2_flash_loan": "flash loan of Balancer v2",
    "uniswap_v3_flash": "flash loan of a Uniswap v3 pool",
    "aave_v3_flash_loan": "flash loan of Aave v3",
}
SENTENCES = MappingProxyType(
    {
        "execute": "an operator executes one plan, whole or not at all",
        "executeBatch": "an operator executes plans in order, each for itself: one that fails undoes itself alone",
        "sweep": "an operator sends a token to the owner's treasury",
        "withdraw": "the owner takes a token out, to any address",
        "setOperator": "the owner appoints an operator, who may execute plans, or dismisses one",
        "setGuardian": "the owner names who may pause; the zero address: nobody but the owner",
        "setTreasury": "the owner names where operators may sweep tokens to; the zero address: nowhere",
        "setListed": "the owner puts tokens on the list that profit may be counted in and that is guarded, or off it",
        "setTipShareMax": "the owner caps the share of a profit that a plan may tip to the block's builder",
        "pause": "the guardian or the owner stops all operators",
        "unpause": "the owner lets operators execute again",
        "wrapNative": "anybody wraps the native coin that the Executor holds",
    }
)


def show(*, report: Report, calldata: bytes, config: Config | None, chain: str) -> CallShown:
    """Read calldata and name what is in it; the chain's node is asked for decimals where there is a configuration.

    Raises:
        PlanDecodeError: it is no call of an Executor, or malformed; the message says at which byte.
    """
    call = decode_call(calldata)
    plans = plans_in(call)
    names = Names()
    if config is not None:
        report(f"asking {chain} for the tokens' decimals")
        names = names_of(config, chain, tokens_in(call, plans))
    return described(call, plans, names)


def render(result: object, console: "Console") -> None:
    """The function and its arguments, then each plan with its steps as a table."""
    assert isinstance(result, CallShown)
    for line in _call_lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for i, plan in enumerate(result.plans):
        title = f"plan {i}" if len(result.plans) > 1 else "plan"
        if plan.flaw:
            console.print(f"{title}: MALFORMED: {plan.flaw}", highlight=False, markup=False, soft_wrap=True)
            continue
        console.print(title, highlight=False)
        for name, text in _plan_lines(plan):
            console.print(f"  {name:14}{text}", highlight=False, markup=False, soft_wrap=True)
        _print_steps(plan.steps, console)
    for note in result.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)


def _call_lines(call: CallShown) -> Iterator[str]:
    yield f"{call.function}: {SENTENCES[call.function.partition('(')[0]]}"
    token = call.arguments.get("token")
    for name, value in call.arguments.items():
        if name == "amount_units":
            yield f"  {'amount':14}{_amount(int(str(value)), _token_of(token))}"
        else:
            yield f"  {name:14}{_value(value)}"


def _value(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    if isinstance(value, dict):
        return _named(_token_of(value))
    return str(value)


def _token_of(value: JsonValue) -> TokenShown:
    assert isinstance(value, dict)
    decimals = value.get("decimals")
    return TokenShown(
        str(value["address"]), str(value.get("symbol", "")), decimals if isinstance(decimals, int) else None
    )


def _plan_lines(plan: PlanShown) -> Iterator[tuple[str, str]]:
    assert plan.token is not None
    yield "funding", _FUNDINGS[plan.funding]
    if plan.lender:
        yield "lender", f"{plan.lender_venue} {plan.lender}".strip()
    yield "amount in", _amount(plan.amount_in_units, plan.token)
    yield "least profit", _amount(plan.profit_min_units, plan.token)
    yield "deadline", f"block {plan.deadline_block}; it reverts in every later one"
    if plan.tip_share_bps:
        share = decimal_text(plan.tip_share_bps, _BPS_DECIMALS)
        yield "builder", f"{share} % of the measured profit goes to the block's builder, if the least profit is left"
    else:
        yield "builder", "no share"


def _print_steps(steps: tuple[StepShown, ...], console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("step", "protocol", "venue", "pool", "terms", "in", "out"):
        table.add_column(name, overflow="fold")
    for i, step in enumerate(steps):
        terms = ", ".join(f"{name} {value}" for name, value in step.terms.items())
        cells = (str(i), step.protocol, step.venue or "-", step.pool, terms or "-")
        table.add_row(*map(Text, (*cells, _short(step.token_in), _short(step.token_out))))
    console.print(table)


def _amount(units: int, token: TokenShown) -> str:
    if token.decimals is None:
        return f"{units} units of {_named(token)}"
    return f"{decimal_text(units, token.decimals)} {token.symbol} ({units} units of {token.address})"


def _named(token: TokenShown) -> str:
    return f"{token.symbol} {token.address}".strip()


def _short(token: TokenShown) -> str:
    return token.symbol or token.address
