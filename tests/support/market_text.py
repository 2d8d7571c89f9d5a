"""A small market file as text, and ways to spoil it."""

import json
import re
from pathlib import Path

from tests.support.places import PROJECT

A, B, C = (f"0x{digit * 40}" for digit in "123")
V2, V3, WEIGHTED = "0x" + "a1" * 20, "0x" + "a2" * 20, "0x" + "a4" * 20 + "00" * 12
ONE = 10**18
Line = dict[str, object]


def header(**fields: object) -> Line:
    return {"kind": "header", "version": "1", "chain_id": "1", "number": "100", "timestamp": "1700000000", **fields}


def token(address: str = A, **fields: object) -> Line:
    return {"kind": "token", "address": address, "symbol": "TKN", "decimals": "18", **fields}


def pair(pool: str = V2, **fields: object) -> Line:
    state = {"reserve0": str(1000 * ONE), "reserve1": str(2000 * ONE)}
    return {
        "kind": "pool",
        "id": pool,
        "protocol": "uniswap_v2",
        "fee_pips": "3000",
        "tokens": [A, B],
        "state": state,
    } | fields


def ticked(pool: str = V3, **state: object) -> Line:
    whole = {
        "sqrt_price_x96": str(2**96),
        "tick_spacing": "60",
        "ticks": {"-600": [str(ONE), str(ONE)], "600": [str(ONE), str(-ONE)]},
    }
    tokens = [A, B]
    return {
        "kind": "pool",
        "id": pool,
        "protocol": "uniswap_v3",
        "fee_pips": "3000",
        "tokens": tokens,
        "state": whole | state,
    }


def weighted(pool: str = WEIGHTED, **state: object) -> Line:
    whole = {"weights": [str(ONE // 2)] * 2, "cash": [str(1000 * ONE)] * 2, "swap_fee": str(ONE // 1000)}
    line = {"kind": "pool", "id": pool, "address": C, "protocol": "balancer_v2", "tokens": [A, B]}
    return line | {"state": whole | state}


def swap(**fields: object) -> Line:
    return {"kind": "swap", "pool": V2, "token_in": A, "token_out": B, **fields}


def text(*lines: Line) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def documented_files() -> list[bytes]:
    """The whole files of docs/reference/market-files.md."""
    return [part.encode() for part in _documented() if _is_file(part)]


def documented_example() -> bytes:
    """The first of them."""
    return documented_files()[0]


def documented_pools() -> list[Line]:
    """The pools that the page shows by themselves."""
    return [json.loads(line) for part in _documented() if not _is_file(part) for line in part.splitlines()]


def _is_file(part: str) -> bool:
    return bool(json.loads(part.splitlines()[0])["kind"] == "header")


def _documented() -> list[str]:
    page = (PROJECT / "docs" / "reference" / "market-files.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```jsonl\n(.*?)```", page, re.DOTALL)
    return found


def written(folder: Path, *lines: Line) -> Path:
    path = folder / "market.jsonl"
    path.write_bytes(text(*lines))
    return path
