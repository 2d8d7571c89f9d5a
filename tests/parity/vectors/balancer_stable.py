"""Stable pools of mainnet, two of the first kind and two composable ones, and what their vault's querySwap answered.

The composable ones are traded without their own share, which the vault keeps among their tokens.
"""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from headrace.adapters.market_files.lines import VERSION, HeaderLine, Line, PoolLine, SwapLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address, PoolId
from headrace.model.codec import JsonValue
from tests.parity.vectors.quotes import Question, Token, answers, state_files

_FIRST_INVARIANT = 2  # in the files' own count of versions


class PoolFile(msgspec.Struct):
    chain_id: int
    block: int
    address: str
    pool_id: str
    vault: str
    tokens: list[Token]
    balances: list[int]
    fee: str
    amp: int
    base_scaling_factors: list[int]
    resolved_rates: list[int]
    invariant_version: int
    bpt_idx: int | None = None

    def line(self) -> PoolLine:
        traded = [place for place in range(len(self.tokens)) if place != self.bpt_idx]
        rates = [self.resolved_rates[place] for place in traded]
        state: dict[str, JsonValue] = {
            "cash": [str(self.balances[place]) for place in traded],
            "scalings": [str(self.base_scaling_factors[place]) for place in traded],
            "rates": [None if rate == ONE else {"cached": str(rate)} for rate in rates],
            "amplification": {"start": str(self.amp), "end": str(self.amp)},
            "swap_fee": str(int(Fraction(self.fee) * ONE)),
            "rounds_up": self.invariant_version == _FIRST_INVARIANT,
        }
        return PoolLine(
            id=PoolId(self.pool_id),
            protocol="balancer_v2_stable",
            tokens=tuple(Address(self.tokens[place].address) for place in traded),
            state=RawDocument(state),
            address=Address(self.vault),
        )

    def swap(self, question: Question, expected: int | str) -> SwapLine:
        kind, *way = question.way
        token_in, token_out = (Address(self.tokens[int(place.partition("=")[2])].address) for place in way)
        swap = SwapLine(pool=PoolId(self.pool_id), token_in=token_in, token_out=token_out)
        if kind == "GIVEN_IN":
            return msgspec.structs.replace(swap, amount_in=question.amount, expected_out=expected)
        return msgspec.structs.replace(swap, amount_out=question.amount, expected_in=expected)


def lines() -> Iterator[Line]:
    files = (msgspec.json.decode(file, type=PoolFile) for file in state_files("balancer_stable_*.json"))
    pools = {pool.address.lower(): pool for pool in files}
    first = next(iter(pools.values()))
    yield HeaderLine(version=VERSION, chain_id=first.chain_id, number=first.block, timestamp=0)
    yield from {token.address.lower(): token.line() for pool in pools.values() for token in pool.tokens}.values()
    yield from (pool.line() for pool in pools.values())
    for question, expected in answers("test_balancer_v2_stable*.json"):
        yield pools[question.pool].swap(question, expected)
