"""What proves each protocol: a new one enters by a line here, and by nothing else.

`SUBJECTS` run against deployed bytecode on a local chain: the class of the conformance suite's subject, made from a
`LocalChain`; only where the bytecode is the protocol's own, not a devnet contract of ours. `RECORDED` are on-chain
quotes that others recorded, as lines of a market file: a module with `lines()`, which skips (pytest's skip, with the
reason) where the recordings are not here. Where a view's answer is also what a swap pays, it is held against the quote
too, and against our least input for it, which the same answer cannot prove to be the least. A protocol without
either is unproven.
"""

from typing import NamedTuple


class Subject(NamedTuple):
    protocol: str
    maker: str  # module:class
    label: str = "deployed"


class Recorded(NamedTuple):
    protocol: str
    what: str
    module: str


SUBJECTS = (
    Subject("uniswap_v2", "tests.conformance.protocols.uniswap_v2_subject:V2Subject"),
    Subject("uniswap_v3", "tests.conformance.protocols.uniswap_v3_subject:V3Subject"),
    Subject("uniswap_v3", "tests.conformance.protocols.pancake_v3_subject:PancakeSubject", "PancakeSwap"),
    Subject("uniswap_v4", "tests.conformance.protocols.uniswap_v4_subject:V4Subject"),
    Subject("balancer_v2", "tests.conformance.protocols.balancer_subject:BalancerSubject"),
    Subject("balancer_v2_stable", "tests.conformance.protocols.balancer_stable_subject:BalancerStableSubject"),
    Subject("balancer_v3", "tests.conformance.protocols.balancer_v3_subject:BalancerV3Subject"),
)
RECORDED = (
    Recorded("balancer_v2", "mainnet querySwap", "tests.parity.vectors.balancer_weighted"),
    Recorded(
        "uniswap_v3", "mainnet QuoterV2: 80 answers, as views and as swaps", "tests.parity.vectors.uniswap_v3_quotes"
    ),
    Recorded("uniswap_v3", "v3-core's own cases", "tests.parity.vectors.uniswap_v3_core"),
    Recorded("balancer_v2_stable", "mainnet querySwap", "tests.parity.vectors.balancer_stable"),
    Recorded("balancer_v3", "swaps on a test chain", "tests.parity.vectors.balancer_v3_maths"),
    Recorded("curve_stableswap", "mainnet get_dy, get_dy_underlying", "tests.parity.vectors.curve_stableswap"),
    Recorded(
        "curve_cryptoswap",
        "mainnet get_dy: 18 answers, as views, swaps, inverses",
        "tests.parity.vectors.curve_tricrypto",
    ),
    Recorded("solidly", "Base getAmountOut: 52 answers, as views, swaps, inverses", "tests.parity.vectors.aerodrome"),
)
