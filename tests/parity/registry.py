"""What proves each protocol: a new one enters by a line here, and by nothing else.

`SUBJECTS` run against deployed bytecode on a local chain: the class of the conformance suite's subject, made from a
`LocalChain`. `RECORDED` are on-chain quotes that others recorded, as lines of a market file: a module with `lines()`,
which skips (pytest's skip, with the reason) where the recordings are not here. A protocol without either is unproven.
"""

from typing import NamedTuple


class Subject(NamedTuple):
    protocol: str
    maker: str  # module:class


class Recorded(NamedTuple):
    protocol: str
    what: str
    module: str


SUBJECTS = (
    Subject("uniswap_v2", "tests.conformance.protocols.uniswap_v2_subject:V2Subject"),
    Subject("uniswap_v3", "tests.conformance.protocols.uniswap_v3_subject:V3Subject"),
    Subject("balancer_v2", "tests.conformance.protocols.balancer_subject:BalancerSubject"),
)
RECORDED = (
    Recorded("balancer_v2", "mainnet querySwap", "tests.parity.vectors.balancer_weighted"),
    Recorded("uniswap_v3", "mainnet QuoterV2", "tests.parity.vectors.uniswap_v3_quotes"),
    Recorded("uniswap_v3", "v3-core's own cases", "tests.parity.vectors.uniswap_v3_core"),
)
