"""Each plug-in says of its pools what its README says; the conformance and golden tests are what stands behind it.

A README's sentences with `proof_of` and a word in bold are its word; the pools here are one of every kind they name.
"""

import re
from pathlib import Path

import msgspec
import pytest
from tests.support.market import USDC, WETH, mispriced
from tests.unit.adapters.protocols.balancer_v2.test_logs import STATE as WEIGHTED
from tests.unit.adapters.protocols.balancer_v2_stable.test_logs import STATE as STABLE
from tests.unit.adapters.protocols.balancer_v3.test_logs import STATE as V3
from tests.unit.adapters.protocols.curve_cryptoswap.test_logs import PAIR, PAIR_NG, TRIPLE_NG
from tests.unit.adapters.protocols.curve_stableswap.pools import BARE, EARLY, LATE, state_of, terms_of

import headrace.adapters.protocols
from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2_stable import BalancerV2Stable
from headrace.adapters.protocols.balancer_v3 import BalancerV3
from headrace.adapters.protocols.balancer_v3.state import StableTerms, WeightedTerms
from headrace.adapters.protocols.curve_cryptoswap import CurveCryptoSwap
from headrace.adapters.protocols.curve_stableswap import CurveStableswap
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, RateSource
from headrace.adapters.protocols.solidly import Solidly
from headrace.adapters.protocols.solidly.state import FeeSource, SolidlyState, SolidlyTerms
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.adapters.protocols.uniswap_v4 import UniswapV4
from headrace.adapters.protocols.uniswap_v4.state import ProtocolFee, UniswapV4State
from headrace.kernels.ramp import Ramp
from headrace.kernels.solidly import Root
from headrace.kernels.stableswap import ProductRounding
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import ZERO_ADDRESS
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import DEX, PoolState

FOLDERS = Path(headrace.adapters.protocols.__file__).parent
V2 = mispriced().states[0]
TICKS = TickTable(3000, 60, {})
PRICE = PricePoint(2**96, 0, 10**18)
replace = msgspec.structs.replace

AERODROME = SolidlyTerms(
    is_stable=True,
    scales=(10**18, 10**6),
    root=Root.VELODROME_V2,
    factory=ZERO_ADDRESS,
    fee_source=FeeSource.OF_PAIR,
)
VOLATILE = replace(AERODROME, is_stable=False)

TRIPOOL = state_of(terms_of(18, 6, 6, a_precision=1, view=EARLY, follows_logs=True), (10**24, 10**12, 10**12))
RAI_TERMS = terms_of(18, 18, view=LATE, rate_sources=(RateSource.REDEMPTION, RateSource.BASE_POOL))
RAI = state_of(RAI_TERMS, (10**24, 10**24), rates=(3 * 10**18, 0), base=TRIPOOL)


def solidly(terms: SolidlyTerms) -> SolidlyState:
    tokens = (WETH.address, USDC.address)
    return SolidlyState(
        Pool(V2.pool.id, V2.pool.address, Solidly().protocol_id, "a", tokens), terms, 1, 1, 30, False, 1
    )


def with_terms(state: CurveStableswapState, **fields: object) -> CurveStableswapState:
    return replace(state, terms=replace(state.terms, **fields))


BYTECODE: list[tuple[DEX, PoolState]] = [
    (UniswapV2({}), V2),
    (UniswapV3(), UniswapV3State(V2.pool, PRICE, TICKS)),
    (UniswapV4(), UniswapV4State(V2.pool, ZERO_ADDRESS, ProtocolFee(0, 0), PRICE, TICKS)),
    (BalancerV2(), WEIGHTED),
    (BalancerV2Stable(), replace(STABLE, terms=replace(STABLE.terms, rounds_up=True))),
    (BalancerV3(), replace(V3, curve=WeightedTerms((10**18 // 2,) * 2, (1, 1)))),
]
RECORDED: list[tuple[DEX, PoolState]] = [
    (BalancerV2Stable(), replace(STABLE, terms=replace(STABLE.terms, rounds_up=False))),
    (BalancerV3(), V3),
    (BalancerV3(), replace(V3, curve=StableTerms(Ramp(200_000, 200_000)))),
    (Solidly(), solidly(AERODROME)),
    (Solidly(), solidly(replace(AERODROME, scales=(10**6, 10**18)))),
    (Solidly(), solidly(VOLATILE)),
    (Solidly(), solidly(replace(VOLATILE, scales=(10**8, 10**8)))),
    (CurveStableswap(), TRIPOOL),
    (CurveStableswap(), replace(TRIPOOL, fee=1, balances=(10**20, 10**10, 10**11))),
    (CurveStableswap(), RAI),
    (CurveCryptoSwap(), TRIPLE_NG),
    (CurveCryptoSwap(), PAIR_NG),
]
UNPROVEN: list[tuple[DEX, PoolState]] = [
    *[
        (Solidly(), solidly(replace(AERODROME, **changed)))
        for changed in (
            {"root": Root.SOLIDLY},
            {"fee_source": FeeSource.OF_KIND},
            {"fee_source": FeeSource.OF_PAIR_18_DECIMALS},
            {"fee_source": FeeSource.IN_CODE},
            {"scales": (10**18, 10**18)},
            {"scales": (10**6, 10**6)},
        )
    ],
    (Solidly(), solidly(replace(VOLATILE, fee_source=FeeSource.OF_KIND))),
    *[
        (CurveStableswap(), with_terms(TRIPOOL, **changed))
        for changed in (
            {"a_precision": 100},
            {"view": LATE},
            {"view": BARE},
            {"held_back": 0},
            {"rounding": ProductRounding.AT_THE_END},
            {"rate_sources": (RateSource.STATIC,) * 2},
            {"rate_sources": (RateSource.YEARN,) * 3},
            {"rate_sources": (RateSource.COMPOUND, RateSource.STATIC, RateSource.STATIC)},
            {"underlying": TRIPOOL.terms.coins},
        )
    ],
    (CurveStableswap(), replace(TRIPOOL, offpeg_multiplier=2 * 10**10)),
    (CurveStableswap(), with_terms(RAI, rate_sources=(RateSource.STATIC, RateSource.BASE_POOL))),
    (CurveStableswap(), with_terms(RAI, view=BARE)),
    (CurveStableswap(), replace(RAI, base=with_terms(TRIPOOL, a_precision=100))),
    (CurveCryptoSwap(), PAIR),
]
CASES = [
    *[(dex, state, Proof.BYTECODE) for dex, state in BYTECODE],
    *[(dex, state, Proof.RECORDED) for dex, state in RECORDED],
    *[(dex, state, Proof.UNPROVEN) for dex, state in UNPROVEN],
]


@pytest.mark.parametrize(("dex", "state", "proof"), CASES)
def test_a_pool_is_proven_by_what_its_kind_was_compared_with(dex: DEX, state: PoolState, proof: Proof) -> None:
    assert dex.proof_of(state) is proof


def words_of(readme: str) -> set[str]:
    """What a README says of `proof_of`: bold words up to the next heading, or cells of a table there."""
    section = re.search(r"proof_of.*?(?=\n#|\Z)", readme, re.DOTALL)
    assert section, "it says nothing of proof_of"
    return {proof.value for proof in Proof if f"**{proof.value}**" in section[0] or f"| {proof.value} |" in section[0]}


def test_every_plug_in_says_what_its_readme_says() -> None:
    said = {folder.parent.name: words_of(folder.read_text()) for folder in sorted(FOLDERS.glob("*/README.md"))}
    answered: dict[str, set[str]] = {name: set() for name in said}
    for dex, _, proof in CASES:
        answered[dex.protocol_id].add(proof.value)
    assert answered == said
