"""States that a person writes: those of docs/reference/market-files.md, read, quoted, written again; and what is wrong.

What is compared is our reading with the page's text, and quotes with rules of thumb worked out by hand; that the same
documents give the chain's own numbers is shown in tests/golden/test_recorded_quotes.py.
"""

import json
from pathlib import Path

import msgspec
import pytest
from tests.support.market_text import Line, documented_pools, header, written
from tests.unit.adapters.protocols.curve_stableswap import pools as curve_pools

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.market_files.writer import MarketWriter
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource
from headrace.app.dexes import every_dex
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.model.codec import JsonValue
from headrace.ports.pool import DecimalsDEX, PoolState, ViewDEX

NUMBER = 17_000_000
DEXES = every_dex()
POOLS = documented_pools()
KEPT_BY_LOGS = {"uniswap_v4", "balancer_v2_stable", "balancer_v3", "curve_stableswap"}  # a pool of each without rates
STATES: dict[str, dict[str, JsonValue]] = {str(line["id"]): line["state"] for line in POOLS}  # type: ignore[misc]


def pool_id(end: str) -> str:
    (found,) = (name for name in STATES if name.endswith(end) or name[-24:] == end)
    return found


PLAIN, META, RATED, CRYPTO, PAIR = (pool_id(end) for end in ("c1", "c2", "c3", "c4", "d1"))
STABLE, WEIGHTED_3, STABLE_3 = (pool_id(end) for end in ("000200000000000000000002", "b2", "b3"))


def read(folder: Path, *lines: Line) -> MarketFile:
    return read_market(written(folder, header(number=str(NUMBER)), *lines), DEXES)


@pytest.fixture
def market(tmp_path: Path) -> MarketFile:
    return read(tmp_path, *POOLS)


def quotes(market: MarketFile, state: PoolState, blocks_later: int) -> list[int | str]:
    at = msgspec.structs.replace(market.context, number=NUMBER + blocks_later)
    first, second = state.pool.tokens[:2]
    found: list[int | str] = []
    for way in ((first, second), (second, first)):
        try:
            found.append(DEXES[state.pool.protocol].quote_out(state, *way, 10**7, at))
        except UnquotableError as error:
            found.append(error.why)
    return found


def test_every_documented_pool_is_quoted_in_its_block_and_the_next(market: MarketFile) -> None:
    assert not market.left_out
    assert {state.pool.protocol for state in market.states} == set(DEXES) - {"uniswap_v2", "uniswap_v3", "balancer_v2"}
    for state in market.states:
        now, then = quotes(market, state, 0), quotes(market, state, 1)
        assert now == then, state.pool.protocol
        assert any(isinstance(one, int) and one > 0 for one in now), state.pool.protocol


def test_what_no_log_tells_is_outdated_after_that(market: MarketFile) -> None:
    kept = set()
    for state in market.states:
        dex = DEXES[state.pool.protocol]
        assert not dex.is_outdated(state, NUMBER)
        if dex.is_outdated(state, NUMBER + 1):
            assert all(isinstance(one, str) for one in quotes(market, state, 2))
        else:
            kept.add(state.pool.protocol)
    assert kept == KEPT_BY_LOGS


def test_an_older_state_is_as_of_its_own_block(tmp_path: Path) -> None:
    market = read(tmp_path, *(line | {"as_of": str(NUMBER - 5)} for line in POOLS))
    outdated = {s.pool.protocol for s in market.states if DEXES[s.pool.protocol].is_outdated(s, NUMBER)}
    assert outdated == {"balancer_v3", "curve_stableswap", "curve_cryptoswap", "solidly"}


def test_a_pool_written_again_after_a_block_is_as_of_that_block(tmp_path: Path) -> None:
    block: Line = {"kind": "block", "number": str(NUMBER + 7), "timestamp": "1700000084", "logs": []}
    hashes: Line = {"hash": "0x" + "11" * 32, "parent_hash": "0x" + "22" * 32}
    line = next(line for line in POOLS if line["id"] == PAIR)
    (recorded,) = read(tmp_path, line, block | hashes, line).blocks
    assert not DEXES[recorded.states[0].pool.protocol].is_outdated(recorded.states[0], NUMBER + 7)


def test_every_documented_pool_is_written_and_read_back_equal(tmp_path: Path, market: MarketFile) -> None:
    path = tmp_path / "again.jsonl"
    with MarketWriter(path, DEXES) as writer:
        writer.header(market.chain_id, market.header, "test")
        for state in market.states:
            writer.state(state)
    again = read_market(path, DEXES)
    assert not again.left_out
    assert again.states == market.states


@pytest.mark.parametrize(
    "state",
    [
        curve_pools.plain(),
        curve_pools.late(),
        curve_pools.bare(),
        curve_pools.compound(),
        curve_pools.yearn(),
        curve_pools.aave(),
        curve_pools.rated(),
        curve_pools.meta(curve_pools.plain()),
        curve_pools.meta(curve_pools.rated(), is_cached=False),
    ],
    ids=["plain", "late", "bare", "compound", "yearn", "aave", "rated", "meta", "meta on rated"],
)
def test_every_kind_of_stableswap_state_survives_a_document(state: CurveStableswapState) -> None:
    dex = DEXES[state.pool.protocol]
    document = json.loads(json.dumps(dex.state_to_document(state)))
    assert dex.state_from_document(state.pool, document) == state
    later = dex.state_from_document(state.pool, document, curve_pools.AT)
    assert later == state, "what a document says of its reading is kept"


def test_what_is_left_out_of_a_curve_pool_is_what_the_page_says(market: MarketFile) -> None:
    states = {state.pool.id: state for state in market.states if isinstance(state, CurveStableswapState)}
    plain, meta, rated = (states[name] for name in (PLAIN, META, RATED))  # type: ignore[index]
    assert plain.rates == (10**18, 10**30, 10**30)
    assert (plain.terms.view.scales_first, plain.terms.follows_logs, plain.read_at) == (True, True, None)
    assert meta.base is not None
    assert (meta.terms.coins, meta.base.pool.tokens) == (meta.pool.tokens[:2], meta.pool.tokens[2:])
    assert (meta.base.pool.id, meta.base.pool.protocol, meta.base.pool.venue) == (PLAIN, "curve_stableswap", "curve")
    assert (meta.read_at, meta.ramp.initial_a, meta.rates[1]) == (NUMBER, 10_000, 0)
    assert rated.terms.rate_sources == (RateSource.STATIC, RateSource.POOL)
    assert (rated.terms.rounding.value, rated.terms.has_fee_in_estimate) == (2, True)


def test_a_curve_pool_whose_a_moves_is_read_at_its_block(tmp_path: Path) -> None:
    (line,) = (line for line in POOLS if line["id"] == PLAIN)
    ramp: Line = {"initial_a": "1000", "initial_time": "1699999999", "future_time": "1700086400"}
    (state,) = read(tmp_path, line | {"state": STATES[PLAIN] | ramp}).states
    assert isinstance(state, CurveStableswapState)
    assert (state.read_at, state.read_time) == (NUMBER, 1_700_000_000)


@pytest.mark.parametrize(
    ("pool", "state", "field", "why"),
    [
        (META, {"base": {**STATES[META]["base"], "supply": "0"}}, "base.supply", "the price"),  # type: ignore[dict-item]
        (META, {"base": {**STATES[META]["base"], "fee": str(10**10)}}, "base.fee", "not from 0"),  # type: ignore[dict-item]
        (META, {"base": {**STATES[META]["base"], "stray": "1"}}, "base.stray", "no such field"),  # type: ignore[dict-item]
        (META, {"base": {"balances": ["1"]}}, "base.pool", "missing"),
        (META, {"base": {"pool": {"tokens": []}}}, "base.pool.id", "missing"),
        (META, {"base": STATES[META] | {"pool": {"id": META, "tokens": []}}}, "base.base", "not supported"),
        (META, {"base": None}, "base", "`base_pool` has one"),
        (META, {"coins": ["0x" + "77" * 20, "0x" + "78" * 20]}, "tokens", "they are not the coins"),
        (PLAIN, {"decimals": ["18", "6", "x"]}, "decimals[2]", "decimal string"),
        (PLAIN, {"decimals": ["18", "6"]}, "decimals", "2 for 3 coins"),
        (PLAIN, {"balances": "5"}, "balances", "array"),
        (RATED, {"rate_sources": ["static", "mystery"]}, "rate_sources[1]", "static"),
        (CRYPTO, {"future_ann": "x"}, "future_ann", "decimal string"),
        (CRYPTO, {"prices": ["1"]}, "prices", "1 for 3 tokens"),
        (CRYPTO, {"invariant": str(2**128)}, "invariant", "128 bits"),
        (CRYPTO, {"future_ann": str(27 * 10**7 + 1)}, "future_ann", "is not from 1 to 270000000"),
        (CRYPTO, {"initial_gamma": "5"}, "initial_gamma", "is not from 10000000000"),
        (CRYPTO, {"out_fee": str(10**10 + 1)}, "out_fee", "all there is"),
        (CRYPTO, {"generation": "twocrypto"}, "generation", "is of 2 tokens, not 3"),
        (CRYPTO, {"supply": "-5"}, "supply", "negative"),
        (PLAIN, {"future_a": "0"}, "future_a", "is not from 1"),
        (PLAIN, {"balances": ["5"]}, "coins", "as many as balances, not 1"),
        (PLAIN, {"balances": ["5", "-6", "7"]}, "balances[1]", "-6 is negative"),
        (RATED, {"offpeg_multiplier": str(10**20)}, "offpeg_multiplier", "is not from 0"),
        (RATED, {"rates": ["1", "0"]}, "rates[1]", "it is 0"),
        (RATED, {"rate_sources": ["compound", "pool"]}, "compound[0]", "missing"),
        (RATED, {"underlying": ["0x" + "77" * 20]}, "underlying", "1 for 2 coins"),
        (META, {"base": {**STATES[META]["base"], "balances": ["1", -2, "3"]}}, "base.balances[1]", "-2 is negative"),  # type: ignore[dict-item]
        (STABLE, {"amplification": {"start": "999", "end": "5000"}}, "amplification.start", "is not from 1000"),
        (STABLE, {"rates": [{"cached": "0"}, None]}, "rates[0].cached", "is not from 1"),
        (STABLE, {"scalings": ["5", str(10**18)]}, "scalings[0]", "10^(36 - decimals)"),
        (STABLE, {"cash": ["5", str(2**112)]}, "cash[1]", "112 bits"),
        (WEIGHTED_3, {"curve": {"kind": "weighted_terms", "weights": ["5", "6"]}}, "curve.weights", "not 1e18"),
        (STABLE_3, {"curve": {"kind": "stable_terms", "start": "0", "end": "6"}}, "curve.start", "is not from 1"),
        (STABLE_3, {"balances": ["5", str(2**128)]}, "balances[1]", "128 bits"),
        (STABLE_3, {"scalings": ["3", "1"]}, "scalings[0]", "10^(18 - decimals)"),
        (PAIR, {"is_stable": True}, "scales", "missing"),
        (PAIR, {"scales": ["5", "1"]}, "scales", "no power of ten"),
        (PAIR, {"fee_source": "getFee()"}, "fee_source", "getRealFee"),
    ],
)
def test_a_wrong_state_is_left_out_by_its_pool_and_field(
    tmp_path: Path, pool: str, state: Line, field: str, why: str
) -> None:
    (line,) = (line for line in POOLS if line["id"] == pool)
    market = read(tmp_path, line | {"state": STATES[pool] | state})
    (flaw,) = market.left_out
    assert (flaw.pool, flaw.field) == (pool, field)
    assert why in flaw.why


@pytest.mark.parametrize(
    ("pool", "token", "decimals", "field"),
    [
        (STABLE, 0, 18, "scalings[0]"),
        (WEIGHTED_3, 0, 6, "scalings[0]"),
        (STABLE_3, 1, 6, "scalings[1]"),
        (PLAIN, 1, 6, "decimals[1]"),
        (META, 1, 18, "decimals[1]"),
        (META, 2, 18, "base.decimals[0]"),
        (RATED, 1, 18, "decimals[1]"),
        (CRYPTO, 1, 8, "precisions[1]"),
        (pool_id("d2"), 1, 6, "scales[1]"),
    ],
)
def test_a_token_and_a_state_that_disagree_on_decimals_cost_the_pool(
    tmp_path: Path, pool: str, token: int, decimals: int, field: str
) -> None:
    (line,) = (line for line in POOLS if line["id"] == pool)
    address = line["tokens"][token]  # type: ignore[index]
    for told in (decimals, decimals + 1):
        said: Line = {"kind": "token", "address": address, "decimals": str(told)}
        for rows in ((said, line), (line, said)):
            market = read(tmp_path, *rows)
            assert [(flaw.pool, flaw.field) for flaw in market.left_out] == [(pool, field)] * (told != decimals)
            assert len(market.states) == (told == decimals)
            assert all(f"has {decimals} decimals, line" in flaw.why for flaw in market.left_out)
        again: Line = {"kind": "block", "number": str(NUMBER + 1), "timestamp": "1700000012", "logs": []}
        market = read(tmp_path, said, again, line)
        assert [(flaw.pool, flaw.field) for flaw in market.left_out] == [(pool, field)] * (told != decimals)


def test_what_is_behind_a_lending_coin_is_not_taken_for_the_coin() -> None:
    for state in (curve_pools.compound(), curve_pools.yearn()):
        dex = DEXES[state.pool.protocol]
        assert isinstance(dex, DecimalsDEX)
        told = dex.told_decimals(state)
        assert {one.token for one in told} == set(state.terms.underlying)
        hidden = msgspec.structs.replace(state, terms=msgspec.structs.replace(state.terms, underlying=()))
        assert not {one.token for one in dex.told_decimals(hidden)} & {
            coin
            for coin, source in zip(state.terms.coins, state.terms.rate_sources, strict=True)
            if source in {RateSource.COMPOUND, RateSource.YEARN}
        }


@pytest.mark.parametrize("pool", STATES)
def test_what_must_be_told_is_named_when_it_is_missing(pool: str, market: MarketFile) -> None:
    (state,) = (state for state in market.states if state.pool.id == pool)
    dex = DEXES[state.pool.protocol]
    optional = {"scales", "rates", "admin_fee", "a_precision", "offpeg_multiplier", "rate_sources", "base"}
    for field in STATES[pool].keys() - optional:
        rest = {name: value for name, value in STATES[pool].items() if name != field}
        with pytest.raises(MalformedPoolError, match=rf"{field}.*(missing|write an object)"):
            dex.state_from_document(state.pool, rest, market.context)


def test_each_view_of_a_metapool_knows_its_own_tokens(market: MarketFile) -> None:
    (meta,) = (state for state in market.states if state.pool.id == META)
    dex = DEXES[meta.pool.protocol]
    assert isinstance(dex, ViewDEX)
    coin, token, behind = meta.pool.tokens[:3]
    assert dex.view(meta, "get_dy", (coin, token), 10**18, market.context) > 0
    assert dex.view(meta, "get_dy_underlying", (coin, behind), 10**18, market.context) > 0
    for call, way in (("get_dy", (coin, behind)), ("get_dy_underlying", (coin, token))):
        with pytest.raises(UnquotableError, match=f"{call} does not know these tokens"):
            dex.view(meta, call, way, 10**18, market.context)


def test_a_state_without_a_block_must_say_when_it_was_read(market: MarketFile) -> None:
    (pair,) = (state for state in market.states if state.pool.id == PAIR)
    with pytest.raises(MalformedPoolError, match="read_at"):
        DEXES[pair.pool.protocol].state_from_document(pair.pool, STATES[PAIR])


def test_a_pair_without_a_factory_is_quoted_by_hand(market: MarketFile) -> None:
    (pair,) = (state for state in market.states if state.pool.id == PAIR)
    given = 10**7 - 10**7 * 30 // 10_000
    assert quotes(market, pair, 1)[0] == given * 1000 * 10**18 // (2 * 10**12 + given)
