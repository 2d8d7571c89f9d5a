"""Calldata to swaps. The oracle is eth-abi, which encodes what the decoder, written by hand, must read back."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.adapters.mempools.calldata import called as limits
from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.devnet.abi import encode_arguments, encode_call
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.executor_step import (
    BalancerV2Step,
    BalancerV3Step,
    CurveCall,
    CurveStep,
    SolidlyStep,
    UniswapV2Step,
    UniswapV3Step,
    UniswapV4Step,
)
from headrace.model.pending import PendingTransaction
from headrace.model.swap_call import DecodedCall, SwapCall

SENDER, TO, OTHER = (Address("0x" + byte * 20) for byte in ("a1", "b2", "c3"))
A, B, C = (Address("0x" + byte * 20) for byte in ("0a", "0b", "0c"))
THIS_ROUTER, THE_CALLER = Address(f"0x{2:040x}"), Address(f"0x{1:040x}")
LATE = 2**40
BALANCE = 1 << 255
UR = "execute(bytes,bytes[],uint256)"
UR_SWAP = ("address", "uint256", "uint256", "bytes", "bool")
UR_SWAP_V2 = ("address", "uint256", "uint256", "address[]", "bool")
BATCH = (
    "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
)
SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
FUNDS = (SENDER, False, OTHER, False)
POOL_ID = bytes(range(32))
V2_IN = encode_call("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 7, 5, (A, B, C), OTHER, LATE)


def decoded(data: str | bytes, value_wei: int = 0, to: Address | None = TO) -> DecodedCall:
    raw = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else data
    return decode_call(PendingTransaction(Hash32("0x" + "11" * 32), SENDER, 0, to, value_wei, raw, 1, 1))


def only(data: str | bytes, value_wei: int = 0) -> SwapCall:
    call = decoded(data, value_wei)
    assert (call.flaw, call.undecoded) == ("", ())
    (swap,) = call.swaps
    return swap


def packed(tokens: tuple[Address, ...], fees: tuple[int, ...]) -> bytes:
    parts = [bytes.fromhex(tokens[0][2:])]
    parts += [fee.to_bytes(3, "big") + bytes.fromhex(token[2:]) for fee, token in zip(fees, tokens[1:], strict=True)]
    return b"".join(parts)


def tokens_of(swap: SwapCall) -> list[tuple[Address | None, Address | None]]:
    return [(hop.token_in, hop.token_out) for hop in swap.hops]


def amounts_of(swap: SwapCall) -> tuple[bool, int | None, int | None]:
    return swap.is_exact_in, swap.amount_in_units, swap.amount_out_units


def test_a_call_through_router02_is_read_whole() -> None:
    swap = only(V2_IN)
    assert tokens_of(swap) == [(A, B), (B, C)]
    assert amounts_of(swap) == (True, 7, 5)
    assert (swap.via, swap.recipient, swap.deadline) == (TO, OTHER, LATE)


def test_bytes_behind_the_arguments_are_wallets_tags_and_change_nothing() -> None:
    assert only(V2_IN + "c0ffee") == only(V2_IN)


@pytest.mark.parametrize(
    ("recipient", "meant"), [(OTHER, OTHER), (THE_CALLER, SENDER), (THIS_ROUTER, None)], ids=["other", "caller", "this"]
)
def test_swap_router_02_names_recipients_and_its_own_balance(recipient: Address, meant: Address | None) -> None:
    single = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    for paid, read in ((0, None), (9, 9)):
        swap = only(encode_call(single, (A, B, 500, recipient, paid, 3, 77)))
        assert amounts_of(swap) == (True, read, 3)
        assert (swap.recipient, swap.deadline, swap.sqrt_price_limit_x96) == (meant, None, 77)
        assert swap.hops[0].fee_pips == 500
        two = only(
            encode_call("swapExactTokensForTokens(uint256,uint256,address[],address)", paid, 3, (A, B), recipient)
        )
        assert (amounts_of(two), two.recipient, two.deadline) == ((True, read, 3), meant, None)


def test_swap_router_02_reads_paths_and_exact_outputs() -> None:
    path = packed((A, B, C), (500, 3000))
    swap = only(encode_call("exactOutput((bytes,address,uint256,uint256))", (path, OTHER, 4, 9)))
    assert tokens_of(swap) == [(C, B), (B, A)]
    assert [hop.fee_pips for hop in swap.hops] == [3000, 500]
    assert amounts_of(swap) == (False, 9, 4)
    out = only(encode_call("swapTokensForExactTokens(uint256,uint256,address[],address)", 0, 9, (A, B), OTHER))
    assert amounts_of(out) == (False, 9, 0)


def test_a_multicall_gives_its_deadline_to_what_has_none_and_passes_over_payments() -> None:
    part = encode_call("exactInput((bytes,address,uint256,uint256))", (packed((A, B), (100,)), OTHER, 8, 2))
    parts = [bytes.fromhex(one[2:]) for one in (part, encode_call("unwrapWETH9(uint256)", 1), V2_IN, "0x12345678")]
    call = decoded(encode_call("multicall(uint256,bytes[])", 99, parts))
    assert [swap.deadline for swap in call.swaps] == [99, LATE]
    assert call.undecoded == ("0x12345678",)
    assert len(decoded(encode_call("multicall(bytes32,bytes[])", POOL_ID, parts)).swaps) == 2


def universal(commands: bytes, *inputs: bytes) -> DecodedCall:
    return decoded(encode_call(UR, commands, inputs, LATE))


def test_the_universal_routers_four_swaps_are_read_and_the_others_named() -> None:
    path = packed((A, B, C), (500, 3000))
    call = universal(
        bytes([0x0B, 0x80, 0x01, 0x08, 0x09, 0x04, 0x10, 0x3F]),
        b"",
        encode_arguments(UR_SWAP, THE_CALLER, BALANCE, 2, path, False),
        encode_arguments(UR_SWAP, THIS_ROUTER, 3, 4, path, True),
        encode_arguments(UR_SWAP_V2, OTHER, 0, 6, (A, B), True),
        encode_arguments(UR_SWAP_V2, OTHER, 7, 8, (A, B, C), True),
        *(b"", b"", b""),
    )
    assert [swap.function.partition(":")[2] for swap in call.swaps] == [
        *("V3_SWAP_EXACT_IN", "V3_SWAP_EXACT_OUT", "V2_SWAP_EXACT_IN", "V2_SWAP_EXACT_OUT")
    ]
    assert [amounts_of(swap) for swap in call.swaps] == [
        *((True, None, 2), (False, 4, 3), (True, None, 6), (False, 8, 7))
    ]
    assert [swap.recipient for swap in call.swaps] == [SENDER, None, OTHER, OTHER]
    assert [tokens_of(swap)[0] for swap in call.swaps] == [(A, B), (C, B), (A, B), (A, B)]
    assert {swap.deadline for swap in call.swaps} == {LATE}
    assert call.undecoded == ("universal_router:V4_SWAP", "universal_router:0x3f")


def test_a_sub_plan_is_read_and_one_within_it_is_named() -> None:
    part = encode_arguments(UR_SWAP_V2, OTHER, 1, 1, (A, B), True)
    nested = encode_arguments(("bytes", "bytes[]"), b"\x08", (part,))
    inner = encode_arguments(("bytes", "bytes[]"), b"\x08\x21\x10", (part, nested, b""))
    call = universal(b"\x21", inner)
    assert len(call.swaps) == 1
    assert call.swaps[0].deadline == LATE
    assert call.undecoded == ("universal_router:EXECUTE_SUB_PLAN", "universal_router:V4_SWAP")


def test_commands_without_their_inputs_are_a_flaw() -> None:
    assert "2 commands with 1 inputs" in universal(b"\x08\x08", b"").flaw


def test_the_vault_swaps_given_in_and_given_out() -> None:
    for kind, read in ((0, (True, 6, 2)), (1, (False, 2, 6))):
        swap = only(encode_call(SWAP, (POOL_ID, kind, A, ZERO_ADDRESS, 6, b"xy"), FUNDS, 2, LATE))
        assert amounts_of(swap) == read
        assert swap.hops[0].pool == PoolId("0x" + POOL_ID.hex())
        assert (swap.recipient, swap.deadline) == (OTHER, LATE)


def test_a_batch_is_cut_into_swaps_where_a_step_has_an_amount() -> None:
    steps = [(POOL_ID, 0, 1, 5, b""), (POOL_ID, 1, 2, 0, b""), (POOL_ID, 0, 2, 7, b"z")]
    call = decoded(encode_call(BATCH, 0, steps, (A, B, C), FUNDS, (9, 0, -3), LATE))
    assert [(tokens_of(swap), amounts_of(swap)) for swap in call.swaps] == [
        ([(A, B), (B, C)], (True, 5, None)),
        ([(A, C)], (True, 7, None)),
    ]
    one = decoded(encode_call(BATCH, 0, steps[:2], (A, B, C), FUNDS, (9, 0, -3), LATE)).swaps[0]
    assert amounts_of(one) == (True, 5, 3)
    backwards = [(POOL_ID, 1, 2, 5, b""), (POOL_ID, 0, 1, 0, b"")]
    out = only(encode_call(BATCH, 1, backwards, (A, B, C), FUNDS, (9, 0, -5), LATE))
    assert (tokens_of(out), amounts_of(out)) == ([(A, B), (B, C)], (False, 9, 5))
    cycle = [(POOL_ID, 0, 1, 5, b""), (POOL_ID, 1, 0, 0, b"")]
    assert amounts_of(only(encode_call(BATCH, 0, cycle, (A, B), FUNDS, (0, 0), LATE))) == (True, 5, None)


@pytest.mark.parametrize(
    ("steps", "tokens", "why"),
    [
        ([(POOL_ID, 0, 9, 5, b"")], (A, B), "token 9 of 2"),
        ([(POOL_ID, 0, 1, 0, b"")], (A, B), "the first step has no amount"),
        ([(POOL_ID, 0, 0, 1, b"")], (A, B), "for itself"),
        ([(POOL_ID, 0, 1, 1, b""), (POOL_ID, 0, 1, 0, b"")], (A, B), "not connected"),
        ([(POOL_ID, 0, 1, 1, b"")] * 17, (A, B), "a batch of 17 steps"),
        ([(POOL_ID, 0, 1, 1, b"")], (A, B, C), "2 limits for 3 tokens"),
    ],
)
def test_a_batch_that_the_vault_would_refuse_is_a_flaw(
    steps: list[tuple[object, ...]], tokens: tuple[Address, ...], why: str
) -> None:
    assert why in decoded(encode_call(BATCH, 0, steps, tokens, FUNDS, (0, 0), LATE)).flaw


def test_pools_own_functions_tell_places_and_directions() -> None:
    pair = only(encode_call("swap(uint256,uint256,address,bytes)", 0, 8, OTHER, b"flash"))
    assert (pair.hops[0].pool, pair.hops[0].index_in, pair.hops[0].index_out) == (PoolId(TO), 0, 1)
    assert amounts_of(pair) == (False, None, 8)
    both = only(encode_call("swap(uint256,uint256,address,bytes)", 3, 8, OTHER, b"flash"))
    assert (both.hops[0].index_in, amounts_of(both)) == (None, (False, None, None))
    pool = "swap(address,bool,int256,uint160,bytes)"
    sold = only(encode_call(pool, OTHER, True, 5, 77, b""))
    assert (sold.hops[0].index_in, amounts_of(sold), sold.sqrt_price_limit_x96) == (0, (True, 5, None), 77)
    bought = only(encode_call(pool, OTHER, False, -5, 77, b""))
    assert (bought.hops[0].index_in, amounts_of(bought)) == (1, (False, None, 5))


@pytest.mark.parametrize("kind", ["int128", "uint256"])
@pytest.mark.parametrize("name", ["exchange", "exchange_received", "exchange_underlying"])
def test_curve_exchanges_tell_places_unless_they_are_of_underlying_tokens(name: str, kind: str) -> None:
    places = (2, None)[name == "exchange_underlying"]
    mine = only(encode_call(f"{name}({kind},{kind},uint256,uint256)", 2, 0, 9, 4))
    theirs = only(encode_call(f"{name}({kind},{kind},uint256,uint256,address)", 2, 0, 9, 4, OTHER))
    assert (mine.hops[0].pool, mine.hops[0].index_in) == (PoolId(TO), places)
    assert amounts_of(mine) == amounts_of(theirs) == (True, 9, 4)
    assert (mine.recipient, theirs.recipient) == (SENDER, OTHER)


def test_curve_exchanges_of_the_coin_are_read() -> None:
    head = "exchange(uint256,uint256,uint256,uint256,bool"
    assert only(encode_call(head + ")", 0, 1, 9, 4, True)).recipient == SENDER
    assert only(encode_call(head + ",address)", 0, 1, 9, 4, True, OTHER)).recipient == OTHER
    assert "for itself" in decoded(encode_call(head + ")", 1, 1, 9, 4, True)).flaw
    assert "more than 3 bits" in decoded(encode_call(head + ")", 8, 1, 9, 4, True)).flaw


def test_the_executors_own_plans_are_read_with_every_kind_of_step() -> None:
    pool = Address("0x" + "dd" * 20)
    v4 = UniswapV4Step(A, B, TO, 500, 10, ZERO_ADDRESS)
    steps = (
        UniswapV2Step(A, B, pool, 3000),
        UniswapV3Step(B, A, pool),
        BalancerV2Step(A, B, TO, PoolId("0x" + POOL_ID.hex())),
        CurveStep(B, A, pool, CurveCall.EXCHANGE_INT128, 0, 1),
        v4,
        BalancerV3Step(B, A, TO, pool),
        SolidlyStep(A, B, pool),
        UniswapV3Step(B, A, pool),
    )
    plan = ExecutorPlan(Funding.OWN_CAPITAL, ZERO_ADDRESS, 100, 3, 50, steps)
    swap = only(plan.calldata())
    assert tokens_of(swap) == [(step.token_in, step.token_out) for step in steps]
    assert amounts_of(swap) == (True, 100, 103)
    assert [hop.pool for hop in swap.hops] == [
        *(pool, pool, PoolId("0x" + POOL_ID.hex()), pool, v4.pool_id, pool, pool, pool)
    ]
    assert decoded(encode_call("execute(bytes)", b"a stranger's")).undecoded == ("0x09c5eabe",)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    assert decoded(encode_call("transfer(address,uint256)", OTHER, 1)).undecoded == ("0xa9059cbb",)
    assert decoded(b"\x01\x02").undecoded == ("0x0102",)
    assert decoded(b"") == DecodedCall()
    assert decoded(V2_IN, to=None) == DecodedCall()
    assert decoded(encode_call("refundETH()")) == DecodedCall()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (V2_IN[:-64], "3 items, beyond the calldata"),
        (V2_IN[:100], "ends before argument"),
        (V2_IN[:138] + "ff" * 32 + "00" * 64, "offset beyond the calldata"),
        (V2_IN[:10] + "ff" * 160, "no address"),
        (
            encode_call("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 1, 1, (A,), A, 1),
            "0 pools",
        ),
        (
            encode_call("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 1, 1, (A, A), A, 1),
            "itself",
        ),
        (
            encode_call("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 1, 1, (A, B) * 9, A, 1),
            "17 pools",
        ),
        (encode_call("exactInput((bytes,address,uint256,uint256))", (b"\0" * 42, A, 1, 1)), "42 bytes"),
        (encode_call("exactInput((bytes,address,uint256,uint256))", (b"\0" * 20, A, 1, 1)), "0 pools"),
        (encode_call("swap(uint256,uint256,address,bytes)", 0, 0, A, b""), "nothing"),
        (encode_call("swap(address,bool,int256,uint160,bytes)", A, True, 0, 1, b""), "nothing"),
        ("0x022c0d9f" + "00" * 32 + "ff" * 64, "no address"),
        (encode_call("multicall(bytes[])", [b""] * 33), "33 items, more than 32"),
        (encode_call("multicall(bytes[])", [bytes.fromhex(V2_IN[2:])] * 5)[:-500], "beyond the calldata"),
        ("0xac9650d8" + (32).to_bytes(32).hex() + (2**255).to_bytes(32).hex(), "beyond the calldata"),
    ],
)
def test_calldata_that_cannot_be_its_functions_is_a_flaw_with_the_reason(data: str, why: str) -> None:
    call = decoded(data)
    assert why in call.flaw
    assert call.flaw.startswith(data[:10])
    assert call.swaps == ()


def test_overlapping_byte_strings_do_not_multiply_the_work() -> None:
    """Thirty-two calls that are one and the same bytes, each with thirty-two sub-plans of sixteen pools."""
    path = packed((A, B) * 8 + (A,), (1,) * 16)
    part = encode_arguments(UR_SWAP, OTHER, 1, 1, path, True)
    plan = encode_arguments(("bytes", "bytes[]"), b"\0" * 32, (part,) * 32)
    call = universal(b"\x21" * 32, *(plan,) * 32)
    assert f"more than {limits.SWAPS_MAX} swaps" in call.flaw
    many = [bytes.fromhex(encode_call(UR, b"\0" * 32, (part,) * 32, LATE)[2:])] * 32
    assert "more than" in decoded(encode_call("multicall(bytes[])", many)).flaw


KNOWN = sorted(
    {
        V2_IN,
        encode_call("multicall(bytes[])", [bytes.fromhex(V2_IN[2:])] * 2),
        encode_call(
            UR, b"\x00\x08", (encode_arguments(UR_SWAP, A, 1, 1, packed((A, B), (1,)), True), b"\0" * 160), LATE
        ),
        encode_call(SWAP, (POOL_ID, 0, A, B, 6, b"xy"), FUNDS, 2, LATE),
        encode_call(BATCH, 0, [(POOL_ID, 0, 1, 5, b"")], (A, B), FUNDS, (0, 0), LATE),
        encode_call("exactInput((bytes,address,uint256,uint256))", (packed((A, B), (100,)), OTHER, 8, 2)),
        encode_call("swap(address,bool,int256,uint160,bytes)", OTHER, True, 5, 77, b""),
        encode_call("exchange(int128,int128,uint256,uint256)", 0, 1, 9, 4),
    }
)


@given(st.binary(max_size=600), st.sampled_from(KNOWN), st.booleans())
@settings(max_examples=1000, deadline=None)
def test_random_bytes_never_raise(noise: bytes, known: str, keeps_selector: bool) -> None:  # noqa: FBT001 - drawn
    data = bytes.fromhex(known[2:10]) + noise if keeps_selector else noise
    decoded(data)


def test_broken_calldata_never_raises_and_is_often_seen_to_be_broken() -> None:
    seed = 20_261
    draw, reached = random.Random(seed), Counter[str]()
    for _ in range(20_000):
        data = bytearray.fromhex(draw.choice(KNOWN)[2:])
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(4, len(data))] = draw.choice((0, 1, 32, 64, 255, draw.randrange(256)))
        call = decoded(bytes(data[: draw.choice((len(data), draw.randrange(4, len(data))))]))
        reached["flaw" if call.flaw else "swaps" if call.swaps else "nothing"] += 1
        assert not (call.flaw and call.swaps)
    print(seed, dict(reached))  # noqa: T201 - how often each class was reached is part of the result
    assert min(reached["flaw"], reached["swaps"]) >= 3000
