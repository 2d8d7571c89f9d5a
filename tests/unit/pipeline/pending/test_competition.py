"""Who touches a route's pools: which pools a called hop means, and in which direction."""

import msgspec
import pytest
from tests.support.pending import ROUTER, UNKNOWN_ROUTER, call_of, swap_of, transaction, v2_hop

from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.model.route import Hop, Route
from headrace.model.swap_call import CalledHop, DecodedCall
from headrace.pipeline.pending.competition import Competition, PoolIndex, Touch, competition
from headrace.pipeline.pending.pending_set import PendingSet

A, B, C, WETH = (Address(f"0x{number:040x}") for number in (1, 2, 3, 4))
V2, V3, CURVE = ProtocolId("uniswap_v2"), ProtocolId("uniswap_v3"), ProtocolId("curve")


def pool(number: int, protocol: str, venue: str, tokens: tuple[Address, ...], fee_pips: int = 0) -> Pool:
    address = Address(f"0x{number:040x}")
    return Pool(PoolId(address), address, ProtocolId(protocol), venue, tokens, fee_pips)


OURS = pool(0x10, "uniswap_v2", "ours", (A, B))
FORK = pool(0x11, "uniswap_v2", "fork", (A, B))
LOW, HIGH = (pool(0x20 + fee, "uniswap_v3", "three", (A, B), fee) for fee in (500, 3000))
TRIPLE = pool(0x30, "curve_stableswap", "curve", (A, B, C))
WRAPPED = pool(0x40, "balancer_v2", "vault", (A, WETH))
INDEX = PoolIndex((OURS, FORK, LOW, HIGH, TRIPLE, WRAPPED), {ROUTER: "ours"}, WETH)


@pytest.mark.parametrize(
    ("hop", "via", "touches"),
    [
        (v2_hop(A, B), ROUTER, (Touch(OURS.id, A, B, is_certain=True),)),
        (
            v2_hop(B, A),
            UNKNOWN_ROUTER,
            (Touch(OURS.id, B, A, is_certain=False), Touch(FORK.id, B, A, is_certain=False)),
        ),
        (v2_hop(A, C), ROUTER, ()),
        (
            CalledHop(V3, token_in=A, token_out=B, fee_pips=500),
            UNKNOWN_ROUTER,
            (Touch(LOW.id, A, B, is_certain=False),),
        ),
        (CalledHop(V3, token_in=A, token_out=B, fee_pips=100), UNKNOWN_ROUTER, ()),
        (CalledHop(CURVE, TRIPLE.id, index_in=2, index_out=0), ROUTER, (Touch(TRIPLE.id, C, A, is_certain=True),)),
        (CalledHop(CURVE, TRIPLE.id, index_in=7, index_out=0), ROUTER, (Touch(TRIPLE.id, None, A, is_certain=True),)),
        (CalledHop(CURVE, TRIPLE.id), ROUTER, (Touch(TRIPLE.id, None, None, is_certain=True),)),
        (CalledHop(CURVE, PoolId("0x99"), index_in=0, index_out=1), ROUTER, ()),
        (CalledHop(V2), ROUTER, ()),
        (
            CalledHop(ProtocolId("balancer_v2"), WRAPPED.id, ZERO_ADDRESS, A),
            ROUTER,
            (Touch(WRAPPED.id, WETH, A, is_certain=True),),
        ),
    ],
)
def test_a_called_hop_means_the_pools_that_it_can_mean(
    hop: CalledHop, via: Address, touches: tuple[Touch, ...]
) -> None:
    assert INDEX.touches(swap_of((hop,), via)) == touches


def test_competitors_are_counted_once_each_by_direction() -> None:
    held = PendingSet(100)
    both = DecodedCall((*call_of((v2_hop(A, B),)).swaps, *call_of((v2_hop(B, A),)).swaps))
    calls = [
        call_of((v2_hop(A, B),)),
        call_of((v2_hop(A, B),), UNKNOWN_ROUTER),
        call_of((v2_hop(B, A),)),
        both,
        call_of((CalledHop(CURVE, TRIPLE.id, index_in=0, index_out=2),)),
        call_of((v2_hop(A, C),)),
        DecodedCall(undecoded=("0x12345678",)),
    ]
    for i, call in enumerate(calls):
        held.add(transaction(i, sender=i), call)
    route = Route((Hop(OURS.id, A, B), Hop(TRIPLE.id, B, A)))
    assert competition(route, held, INDEX) == Competition(
        transactions=5, same_direction=3, opposite_direction=2, other_direction=1, certain=4
    )
    elsewhere = Route((Hop(WRAPPED.id, A, WETH),))
    assert competition(elsewhere, held, INDEX) == Competition()


def test_a_family_is_a_protocol_and_what_is_named_after_it() -> None:
    variant = msgspec.structs.replace(OURS, protocol=ProtocolId("uniswap_v2_taxed"))
    stranger = msgspec.structs.replace(FORK, protocol=ProtocolId("uniswap_v20"))
    index = PoolIndex((variant, stranger), {}, WETH)
    assert [touch.pool for touch in index.touches(swap_of((v2_hop(A, B),)))] == [variant.id]
