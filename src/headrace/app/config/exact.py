"""Numbers as they are written: from text straight to integers, never through a float."""

import re

from headrace.app.config.document import Node, Scalar
from headrace.errors import ConfigError

_NUMBER = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_MONEY = re.compile(r"(\S+)(?: +([A-Za-z][A-Za-z0-9._-]*))?")
_LENGTH_MAX = 60
_NO_NUMBER = "is not a plain decimal number such as 50 or 0.5"
_TRAPS = (
    (re.compile(r"[-+].+"), "has a sign: limits and amounts are written without one"),
    (re.compile(r"\.?(?:inf|nan|infinity)", re.IGNORECASE), "is no number: every limit is finite"),
    (re.compile(r"[0-9.]+[eE][-+]?[0-9]+"), "has an exponent: write the number out"),
    (
        re.compile(r"0[0-9xXoObB_][0-9a-fA-F_]*(?:\.[0-9]+)?"),
        "begins with a zero (octal or hexadecimal?): write it as a plain decimal number",
    ),
    (re.compile(r"[0-9][0-9_,' ]*(?:\.[0-9]+)?"), "has separators: write digits only"),
)


def scalar_of(node: Node, what: str) -> Scalar:
    """The node as one value.

    Raises:
        ConfigError: nothing is written there, or a list or section.
    """
    if not isinstance(node, Scalar):
        raise ConfigError(f"one value is expected here: {what}", str(node.place))
    if node.is_null:
        raise ConfigError(f"the value is missing: {what}", str(node.place))
    return node


def scaled_integer(text: str, decimals: int, where: str) -> int:
    """The number times 10^decimals, exact: "50.5" with 6 decimals is 50500000.

    Raises:
        ConfigError: not a plain decimal number, or finer than `decimals`.
    """
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > _LENGTH_MAX:
        raise ConfigError(f"{_shortened(text)} {_why_no_number(text)}", where)
    whole, part = match[1], (match[2] or "").rstrip("0")
    if len(part) > decimals:
        allowed = f"at most {decimals} decimals are" if decimals else "only a whole number is"
        raise ConfigError(f"{text} is too fine: {allowed} allowed here", where)
    return int(whole + part.ljust(decimals, "0"))


def amount_and_unit(text: str, where: str) -> tuple[str, str]:
    """Split "0.01 WETH" into number and unit; the unit is empty where none is written.

    Raises:
        ConfigError: neither a number nor a number and a unit.
    """
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ConfigError(f"{_shortened(text)} is no amount: write a number, or a number and its unit", where)
    return match[1], match[2] or ""


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _LENGTH_MAX else text[:_LENGTH_MAX] + "...")


def _why_no_number(text: str) -> str:
    if len(text) > _LENGTH_MAX:
        return "is too long for a number"
    return next((why for pattern, why in _TRAPS if pattern.fullmatch(text)), _NO_NUMBER)
