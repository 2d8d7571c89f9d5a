"""Swaps that Balancer's maths vectors recorded from two pools of v3 on a public test chain (end of 2024).

The files hold scaled balances with rates; a raw balance that gives just these is the least that does.
"""

from collections.abc import Iterator

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine, SwapLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue
from tests.golden.test_balancer_v3 import numbers, raw_of
from tests.support.places import shared_data


class Swap(msgspec.Struct, rename="camel"):
    swap_kind: int
    amount_raw: str
    token_in: str
    token_out: str
    output_raw: str


class PoolFile(msgspec.Struct, rename="camel"):
    chain_id: str
    block_number: str
    pool_address: str
    tokens: list[str]
    scaling_factors: list[str]
    swap_fee: str
    token_rates: list[str]
    balances: list[str] = msgspec.field(name="balancesLiveScaled18")
    weights: list[str] = []
    amp: str = ""

    def line(self) -> PoolLine:
        by, rates = numbers(self.scaling_factors), numbers(self.token_rates)
        raw = (raw_of(*one) for one in zip(numbers(self.balances), by, rates, strict=True))
        curve: dict[str, JsonValue] = {"kind": "weighted_terms", "weights": [*self.weights]}
        if self.amp:
            curve = {"kind": "stable_terms", "start": self.amp, "end": self.amp}
        state: dict[str, JsonValue] = {
            "balances": [str(one) for one in raw],
            "scalings": [*self.scaling_factors],
            "rates": [*self.token_rates],
            "swap_fee": self.swap_fee,
            "curve": curve,
        }
        tokens = tuple(Address(token) for token in self.tokens)
        return PoolLine(id=PoolId(self.pool_address), protocol="balancer_v3", tokens=tokens, state=RawDocument(state))


class MathsFile(msgspec.Struct):
    pool: PoolFile
    swaps: list[Swap]


def lines() -> Iterator[Line]:
    files = sorted(shared_data("vectors/balancer_maths").glob("*.json"))
    found = [msgspec.json.decode(file.read_bytes(), type=MathsFile) for file in files]
    first = found[0].pool
    yield HeaderLine(version=VERSION, chain_id=int(first.chain_id), number=int(first.block_number), timestamp=0)
    for cases in found:
        yield cases.pool.line()
        for swap in cases.swaps:
            yield _swap(PoolId(cases.pool.pool_address), swap)


def _swap(pool: PoolId, swap: Swap) -> SwapLine:
    line = SwapLine(pool=pool, token_in=Address(swap.token_in), token_out=Address(swap.token_out))
    amount, answer = int(swap.amount_raw), int(swap.output_raw)
    if swap.swap_kind:
        return msgspec.structs.replace(line, amount_out=amount, expected_in=answer)
    return msgspec.structs.replace(line, amount_in=amount, expected_out=answer)
