"""Foreign formats, written here as their owners write them: what is taken, what is left out, and what is told of it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.market_text import ONE, A, B, C

from headrace.adapters.market_files.reader import read_market
from headrace.app.cli.invocation import invoke
from headrace.app.dexes import every_dex

POOL, OTHER = "0x" + "a1" * 20, "0x" + "a2" * 20
HASH = "0x" + "cc" * 32


def little(value: int) -> str:
    return "0x" + value.to_bytes(12, "little").hex()


def component(name: str) -> dict[str, object]:
    return {"id": name, "chain": "ethereum", "tokens": [B, A], "static_attributes": {"fee": "0x1e"}}


def message(number: int, states: Mapping[str, object], **deltas: object) -> bytes:
    block = {"number": number, "hash": HASH, "parent_hash": HASH, "ts": "2024-08-02T11:53:47"}
    empty: dict[str, object] = {
        "chain": "ethereum",
        "block": block,
        "new_tokens": {},
        "state_updates": {},
        "new_protocol_components": {},
        "component_balances": {},
    }
    part = {"snapshots": {"states": states}, "deltas": empty | deltas}
    return json.dumps({"state_msgs": {"uniswap_v2": part}}).encode()


def pair_of(name: str, reserve0: int, reserve1: int, **balances: int) -> dict[str, object]:
    told = {"attributes": {"reserve0": little(reserve0), "reserve1": little(reserve1)}}
    held = {"balances": {token: hex(amount) for token, amount in balances.items()}}
    return {"state": told | held, "component": component(name)}


def imported(folder: Path, *contents: bytes, flags: tuple[str, ...] = ()) -> tuple[int, Path]:
    sources = []
    for at, content in enumerate(contents):
        sources.append(folder / f"source{at}")
        sources[-1].write_bytes(content)
    out = folder / "out.jsonl"
    return invoke(["market", "import", *map(str, sources), "--out", str(out), *flags]), out


def test_a_stream_is_read_little_end_first_and_held_against_its_balances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    states = {
        POOL: pair_of(POOL, 10**20, 3 * 10**20, **{A: 10**20, B: 3 * 10**20}),
        OTHER: pair_of(OTHER, 10**20, 3 * 10**20, **{A: 5}),
    }
    code, out = imported(tmp_path, message(7, states))
    market = read_market(out, every_dex())
    (state,) = market.states
    assert (code, state.pool.fee_pips, state.pool.tokens) == (0, 3000, (A, B))
    assert every_dex()[state.pool.protocol].state_to_document(state) == {
        "reserve0": str(10**20),
        "reserve1": str(3 * 10**20),
    }
    assert (market.header.number, market.header.timestamp) == (7, 1_722_599_627)
    assert "skipped 1: reserves and balances differ" in capsys.readouterr().out


def test_a_later_delta_makes_what_it_does_not_name_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = {name: pair_of(name, 10**20, 10**20) for name in (POOL, OTHER)}
    changed = {POOL: {"updated_attributes": {"reserve0": little(2 * 10**20)}}}
    token = {A: {"address": A, "symbol": "AAA", "decimals": 9}}
    new = {C: component(C)}
    delta = message(9, {}, state_updates=changed, new_tokens=token, new_protocol_components=new)
    code, out = imported(tmp_path, message(7, states), delta)
    market = read_market(out, every_dex())
    assert (code, market.header.number, market.as_of) == (0, 9, {OTHER: 7})
    assert market.tokens[A].decimals == 9  # type: ignore[index]
    told = capsys.readouterr().out
    assert "skipped 1: no reserves are told" in told
    assert "1 states are older than the block, 1 pools are in doubt" in told


def simulated() -> bytes:
    tokens = [{"address": address, "symbol": "T", "decimals": 18} for address in (A, B)]
    ticks = [{"index": -60, "net_liquidity": ONE}, {"index": 60, "net_liquidity": -ONE}]
    v3 = {"liquidity": ONE, "sqrt_price": hex(2**96), "fee": "Low", "tick": 0}
    ticked = {"protocol": "UniswapV3State", "state": v3 | {"ticks": {"tick_spacing": 10, "ticks": ticks}}}
    pair = {"protocol": "UniswapV2State", "state": {"reserve0": hex(10**20), "reserve1": hex(10**20)}}
    return json.dumps([{"tokens": tokens, "state": ticked}, {"tokens": tokens[::-1], "state": pair}]).encode()


def test_states_with_net_liquidity_only_can_be_quoted_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = imported(tmp_path, simulated(), flags=("--block", "5", "--timestamp", "9"))
    market = read_market(out, every_dex())
    assert (code, market.header.number, market.header.timestamp) == (0, 5, 9)
    assert [state.pool.fee_pips for state in market.states] == [500, 3000]
    assert "a tick of net zero may be missing" in capsys.readouterr().out


ROW = "exchange_name,last_updated,last_updated_block,fee,tkn0_balance,tkn1_balance,sqrt_price_q96,tick,tick_spacing"
ROW += ",liquidity,address,tkn0,tkn1,tkn0_address,tkn0_decimals,tkn1_address,tkn1_decimals\n"


def row(exchange: str, address: str, block: int, *, amounts: str, fee: str = "0.003") -> str:
    tokens = f"AA-11,BB-22,{A},18,{B},6"
    return f"{exchange},2023-04-23 03:09:38.9,{block},{fee},{amounts},{address},{tokens}\n"


def table() -> bytes:
    rows = (
        row("uniswap_v2", POOL, 90, amounts=f"{10**20},{10**12},0,,,"),
        row("uniswap_v3", OTHER, 100, amounts=f",,{2**96},0,10,{ONE}", fee="500"),
        row("carbon_v1", "0x" + "a3" * 20, 100, amounts="1,1,0,,,"),
        row("sushiswap_v2", "0x" + "a4" * 20, 95, amounts=f"{2**112},1,0,,,"),
    )
    return (ROW + "".join(rows)).encode()


def test_rows_are_as_of_their_own_block_and_a_pool_with_ticks_is_known_in_its_range(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = imported(tmp_path, table())
    market = read_market(out, every_dex())
    assert (code, market.header.number, market.as_of) == (0, 100, {POOL: 90})
    assert [token.symbol for token in market.tokens.values()] == ["AA", "BB"]
    ticked = every_dex()[market.states[1].pool.protocol].state_to_document(market.states[1])
    assert (ticked["coverage"], ticked["ticks"]) == (["0", "10"], {})
    told = capsys.readouterr().out
    assert "skipped 1: carbon_v1" in told
    assert "112 bits" in told
    code, out = imported(tmp_path, table(), flags=("--assume-current",))
    assert (code, read_market(out, every_dex()).as_of) == (0, {})


@pytest.mark.parametrize(
    ("content", "flags", "code", "why"),
    [
        (b"hello", (), 7, "none of the formats tycho, tycho-simulation, fastlane"),
        (b'{"state_msgs": {}}', (), 7, "not quite of the format tycho"),
        (b'[{"protocol": 1}]', (), 7, "not quite of the format tycho-simulation"),
        (table().replace(b"0.003", b"x"), (), 7, "not quite of the format fastlane"),
        (message(7, {}), ("--assume-current",), 2, "says what each block changed"),
    ],
)
def test_what_is_of_no_known_format_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, flags: tuple[str, ...], code: int, why: str
) -> None:
    assert imported(tmp_path, content, flags=flags)[0] == code
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()
