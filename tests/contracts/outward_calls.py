"""Every call that leaves the Executor, read from the syntax trees of its sources."""

import re
from collections import Counter
from collections.abc import Iterator

_OUTWARD_LIBRARIES = ("SafeERC20.sol", "LowLevelCall.sol", "Address.sol")
_OUTWARD_TYPES = re.compile(r"t_function_(external|bare|delegatecall|creation|selfdestruct|send|transfer|callcode)")
_GATES = {"_pay", "_grant"}  # what the guard lets out
_OUTWARD_ASSEMBLY = {"call", "callcode", "delegatecall", "staticcall", "create", "create2", "selfdestruct"}

Node = dict[str, object]


def outward_calls(trees: dict[str, Node], texts: dict[str, str]) -> Counter[str]:
    """`file function: callee` of each call of our own sources to another address, and how often it stands there."""
    homes = {id_: name for name, tree in trees.items() for id_ in _declared(tree)}
    found: Counter[str] = Counter()
    for name, text in texts.items():
        if name in trees:
            found.update(f"{name} {line}" for line in _of_file(trees[name], text, homes))
    return found


def _of_file(tree: Node, text: str, homes: dict[int, str]) -> Iterator[str]:
    for function in _nodes(tree):
        if function.get("nodeType") not in {"FunctionDefinition", "ModifierDefinition", "VariableDeclaration"}:
            continue
        if function["nodeType"] == "VariableDeclaration" and not function.get("stateVariable"):
            continue
        title = function.get("name") or function.get("kind")
        for node in _nodes(function):
            callee = _callee(node, text, homes)
            if callee:
                yield f"{title}: {callee}"


def _callee(node: Node, text: str, homes: dict[int, str]) -> str:
    if node.get("nodeType") == "YulFunctionCall":
        name = node["functionName"]
        assert isinstance(name, dict)
        return f"assembly {name['name']}" if name["name"] in _OUTWARD_ASSEMBLY else ""
    if node.get("nodeType") != "FunctionCall" or node.get("kind") != "functionCall":
        return ""
    expression = node["expression"]
    assert isinstance(expression, dict)
    kind = expression["typeDescriptions"]["typeIdentifier"]
    home = homes.get(expression.get("referencedDeclaration", -1), "")
    if (
        not _OUTWARD_TYPES.match(kind)
        and not home.endswith(_OUTWARD_LIBRARIES)
        and expression.get("name") not in _GATES
    ):
        return ""
    start, length, _ = (int(part) for part in expression["src"].split(":"))
    return re.sub(r"\s+", "", text.encode()[start : start + length].decode())


def _declared(tree: Node) -> Iterator[int]:
    for node in _nodes(tree):
        if node.get("nodeType") == "FunctionDefinition" and isinstance(node["id"], int):
            yield node["id"]


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, dict):
        if "nodeType" in value:
            yield value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)
