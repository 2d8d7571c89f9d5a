"""The published swap cases of v3-core's own tests that have no price limit: each is a pool of its own.

A swap that the pool fills in part only is none that we quote; those are left out, and walked in tests/golden.
"""

from collections.abc import Iterator

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine, SwapLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from tests.golden.test_uniswap_v3_core_cases import Case, core_cases, market_of

TOKENS = (Address("0x" + "11" * 20), Address("0x" + "22" * 20))


def lines() -> Iterator[Line]:
    yield HeaderLine(version=VERSION, chain_id=1, number=0, timestamp=0)
    for at, case in enumerate(case for case in core_cases() if case.limit is None):
        swap = _swap(PoolId(f"0x{0xC0DE0000 + at:040x}"), case)
        if swap is not None:
            yield _pool(swap.pool, case)
            yield swap


def _pool(pool: PoolId, case: Case) -> PoolLine:
    table, point = market_of(case)
    return PoolLine(
        id=pool,
        protocol="uniswap_v3",
        tokens=TOKENS,
        fee_pips=table.fee_pips,
        state=RawDocument(
            {
                "sqrt_price_x96": str(point.sqrt_price_x96),
                "tick_spacing": str(table.tick_spacing),
                "ticks": {str(tick): [str(one.gross), str(one.net)] for tick, one in table.entries().items()},
            }
        ),
    )


def _swap(pool: PoolId, case: Case) -> SwapLine | None:
    token_in, token_out = TOKENS if case.zero_for_one else TOKENS[::-1]
    amount = int(case.amount)
    taken, paid = 0, 0
    if not case.expected.swap_error:
        deltas = (int(case.expected.amount0_delta), int(case.expected.amount1_delta))
        taken, paid = (deltas[0], -deltas[1]) if case.zero_for_one else (deltas[1], -deltas[0])
    reverts = bool(case.expected.swap_error)
    if case.kind == "exactIn":
        if not reverts and taken != amount:
            return None
        expected = "reverts" if reverts else paid
        return SwapLine(pool=pool, token_in=token_in, token_out=token_out, amount_in=amount, expected_out=expected)
    if not reverts and paid != amount:
        return None
    wanted = "reverts" if reverts else taken
    return SwapLine(pool=pool, token_in=token_in, token_out=token_out, amount_out=amount, expected_in=wanted)
