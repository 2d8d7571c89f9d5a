"""WBTC/WETH 0.3 % of mainnet with all ticks, and what QuoterV2 answered (recorded by degenbot's tests).

The quoter answers for a swap that the pool fills in part only, where a quote is refused; so each case is told as
what the quoter said, and one that is filled as a whole once more as a swap.
"""

from collections.abc import Iterator

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine, SwapLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.kernels.tick_walk import extreme_limit, walk
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue
from tests.golden.test_uniswap_v3_core_cases import WBTC_WETH, WBTC_WETH_QUOTES, RecordedQuotes, recorded_pool
from tests.support.places import shared_data

POOL = PoolId("0xcbcdf9626bc03e24f779434178a73a0b4bad62ed")
WBTC = Address("0x2260fac5e5542a773aa44fbcfedf7c193bc2c599")
WETH = Address("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")
BLOCK = 24_407_242


def lines() -> Iterator[Line]:
    shared_data(WBTC_WETH)
    table, point = recorded_pool()
    ticks: JsonValue = {str(tick): [str(one.gross), str(one.net)] for tick, one in table.entries().items()}
    state: dict[str, JsonValue] = {
        "sqrt_price_x96": str(point.sqrt_price_x96),
        "tick": str(point.tick),
        "liquidity": str(point.liquidity),
    }
    yield HeaderLine(version=VERSION, chain_id=1, number=BLOCK, timestamp=0)
    yield PoolLine(
        id=POOL,
        protocol="uniswap_v3",
        tokens=(WBTC, WETH),
        fee_pips=table.fee_pips,
        state=RawDocument({**state, "tick_spacing": str(table.tick_spacing), "ticks": ticks}),
    )
    recorded = msgspec.json.decode(shared_data(WBTC_WETH_QUOTES).read_bytes(), type=RecordedQuotes).entries
    for key, quote in recorded.items():
        _, method, way, text = key.split("|")
        amount, is_down = int(text), way == "WBTC->WETH"
        token_in, token_out = (WBTC, WETH) if is_down else (WETH, WBTC)
        swap = SwapLine(pool=POOL, token_in=token_in, token_out=token_out)
        is_input = method == "quoteExactInputSingle"
        if is_input:
            swap = msgspec.structs.replace(swap, amount_in=amount, expected_out=quote.value)
        else:
            swap = msgspec.structs.replace(swap, amount_out=amount, expected_in=quote.value)
        yield msgspec.structs.replace(swap, call=method)
        signed = amount if is_input else -amount
        done = walk(table, point, signed, extreme_limit(zero_for_one=is_down), zero_for_one=is_down)
        assert done is not None
        if (done.amount_in if is_input else done.amount_out) == amount:
            yield swap
