"""A call of the Executor as values that stand for themselves, for people and for `--json`."""

from collections.abc import Iterable, Iterator

import msgspec

from headrace.app.calldata.naming import Names
from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address, checksum
from headrace.model.codec import JsonValue
from headrace.model.executor_call import (
    SIGNATURES,
    Execute,
    ExecuteBatch,
    ExecutorCall,
    SetListed,
    Sweep,
    Withdraw,
)
from headrace.model.executor_plan import ExecutorPlan, decode
from headrace.model.executor_step import STEP_TAGS, SwapStep

MALFORMED = 1
_TERMS = ("fee_pips", "tick_spacing", "hooks", "vault", "manager", "call", "index_in", "index_out")
_POOLS = ("pool_id", "pair", "pool")


class TokenShown(msgspec.Struct, frozen=True):
    """A token; without `decimals` its amounts are in its smallest units only."""

    address: str
    symbol: str = ""
    decimals: int | None = None


class StepShown(msgspec.Struct, frozen=True):
    """One swap; `venue` is the configuration's name, where it has one, `terms` are the pool's as the plan says them."""

    protocol: str
    pool: str
    token_in: TokenShown
    token_out: TokenShown
    venue: str = ""
    terms: dict[str, str] = {}


class PlanShown(msgspec.Struct, frozen=True):
    """One plan; of one that is malformed there is its `flaw` alone, and the contract skips it or reverts."""

    funding: str = ""
    lender: str = ""
    lender_venue: str = ""
    token: TokenShown | None = None
    amount_in_units: int = 0
    profit_min_units: int = 0
    deadline_block: int = 0
    tip_share_bps: int = 0
    steps: tuple[StepShown, ...] = ()
    flaw: str = ""


class CallShown(msgspec.Struct, frozen=True):
    """One call; `notes` say what could not be named."""

    function: str
    arguments: dict[str, JsonValue]
    plans: tuple[PlanShown, ...]
    notes: tuple[str, ...]
    exit_code: int = 0


def plans_in(call: ExecutorCall) -> tuple[ExecutorPlan | PlanDecodeError, ...]:
    """The plans in a call, each read or the reason why it cannot be.

    Raises:
        PlanDecodeError: the one plan of `execute` is malformed.
    """
    if isinstance(call, Execute):
        return (decode(call.plan),)
    return tuple(_read(plan) for plan in call.plans) if isinstance(call, ExecuteBatch) else ()


def tokens_in(call: ExecutorCall, plans: Iterable[ExecutorPlan | PlanDecodeError]) -> tuple[Address, ...]:
    """Every token that is spoken of, once."""
    spoken = [token for plan in plans if isinstance(plan, ExecutorPlan) for token in plan.tokens]
    if isinstance(call, Sweep | Withdraw):
        spoken.append(call.token)
    if isinstance(call, SetListed):
        spoken += call.tokens
    return tuple(dict.fromkeys(spoken))


def described(call: ExecutorCall, plans: tuple[ExecutorPlan | PlanDecodeError, ...], names: Names) -> CallShown:
    """Everything by its name, where there is one."""
    shown = tuple(_plan(plan, names) for plan in plans)
    return CallShown(
        function=SIGNATURES[type(call)],
        arguments=dict(_arguments(call, names)),
        plans=shown,
        notes=names.notes if tokens_in(call, plans) else (),
        exit_code=MALFORMED if any(plan.flaw for plan in shown) else 0,
    )


def _read(plan: bytes) -> ExecutorPlan | PlanDecodeError:
    try:
        return decode(plan)
    except PlanDecodeError as error:
        return error


def _arguments(call: ExecutorCall, names: Names) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(call, Execute | ExecuteBatch):
        return
    for field in msgspec.structs.fields(call):
        value = getattr(call, field.name)
        if field.name == "token":
            yield "token", msgspec.to_builtins(_token(value, names))
        elif field.name == "tokens":
            yield "tokens", [msgspec.to_builtins(_token(one, names)) for one in value]
        elif isinstance(value, str):
            yield field.name, checksum(Address(value))
        else:
            yield field.name, value


def _plan(plan: ExecutorPlan | PlanDecodeError, names: Names) -> PlanShown:
    if isinstance(plan, PlanDecodeError):
        return PlanShown(flaw=str(plan))
    is_lent = plan.lender != ZERO_ADDRESS
    return PlanShown(
        funding=plan.funding.name.lower(),
        lender=checksum(plan.lender) if is_lent else "",
        lender_venue=names.venues.get(plan.lender, "") if is_lent else "",
        token=_token(plan.steps[0].token_in, names),
        amount_in_units=plan.amount_in_units,
        profit_min_units=plan.profit_min_units,
        deadline_block=plan.deadline_block,
        tip_share_bps=plan.tip_share_bps,
        steps=tuple(_step(step, names) for step in plan.steps),
    )


def _step(step: SwapStep, names: Names) -> StepShown:
    pool = next(str(getattr(step, name)) for name in _POOLS if hasattr(step, name))
    through = str(getattr(step, "vault", "") or getattr(step, "manager", ""))
    return StepShown(
        protocol=STEP_TAGS[type(step)],
        pool=_written(pool),
        token_in=_token(step.token_in, names),
        token_out=_token(step.token_out, names),
        venue=names.venues.get(pool, names.venues.get(through, "")),
        terms={name: _term(getattr(step, name)) for name in _TERMS if hasattr(step, name)},
    )


def _term(value: object) -> str:
    if isinstance(value, int):
        return getattr(value, "name", str(value)).lower()
    return _written(str(value))


def _written(text: str) -> str:
    """An address with its checksum, the 32-byte id of a pool as it is."""
    return checksum(Address(text)) if len(text) == len(ZERO_ADDRESS) else text


def _token(address: Address, names: Names) -> TokenShown:
    token = names.tokens.get(address)
    if token is None:
        return TokenShown(checksum(address), names.symbols.get(address, ""))
    return TokenShown(checksum(address), token.symbol, token.decimals)
