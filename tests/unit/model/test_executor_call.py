"""Oracles: eth_abi encodes every call too, and the compiled contract says which functions there are."""

import msgspec
import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from headrace.devnet.places import CONTRACTS_OUT
from headrace.errors import PlanDecodeError
from headrace.model.address import Address
from headrace.model.calldata import selector
from headrace.model.executor_call import (
    SIGNATURES,
    Execute,
    ExecuteBatch,
    ExecutorCall,
    Pause,
    SetGuardian,
    SetListed,
    SetOperator,
    SetTipShareMax,
    SetTreasury,
    Sweep,
    Unpause,
    Withdraw,
    WrapNative,
    calldata,
    decode_call,
)

addresses = st.binary(min_size=20, max_size=20).map(lambda b: Address("0x" + b.hex()))
amounts = st.integers(0, 2**256 - 1)
calls = st.one_of(
    st.builds(Execute, st.binary(max_size=200)),
    st.builds(ExecuteBatch, st.lists(st.binary(max_size=100), max_size=4).map(tuple)),
    st.builds(Sweep, addresses, amounts),
    st.builds(Withdraw, addresses, addresses, amounts),
    st.builds(SetOperator, addresses, st.booleans()),
    st.builds(SetGuardian, addresses),
    st.builds(SetTreasury, addresses),
    st.builds(SetListed, st.lists(addresses, max_size=5).map(tuple), st.booleans()),
    st.builds(SetTipShareMax, st.integers(0, 2**16 - 1)),
    st.sampled_from([Pause(), Unpause(), WrapNative()]),
)
ADDRESS = Address("0x" + "ab" * 20)
FOR_ITSELF = {  # callbacks of pools and lenders, and what the Executor calls itself
    "balancerV3Callback(bytes)",
    "balancerV3LoanCallback(bytes)",
    "executeOfBatch(bytes)",
    "executeOperation(address,uint256,uint256,address,bytes)",
    "onFlashLoan(address,address,uint256,uint256,bytes)",
    "onMorphoFlashLoan(uint256,bytes)",
    "pancakeCall(address,uint256,uint256,bytes)",
    "pancakeV3FlashCallback(uint256,uint256,bytes)",
    "pancakeV3SwapCallback(int256,int256,bytes)",
    "receiveFlashLoan(address[],uint256[],uint256[],bytes)",
    "uniswapV2Call(address,uint256,uint256,bytes)",
    "uniswapV3FlashCallback(uint256,uint256,bytes)",
    "uniswapV3SwapCallback(int256,int256,bytes)",
    "unlockCallback(bytes)",
}


class Parameter(msgspec.Struct):
    type: str


class Entry(msgspec.Struct, rename={"mutability": "stateMutability"}):
    type: str
    name: str = ""
    mutability: str = ""
    inputs: list[Parameter] = []


class Compiled(msgspec.Struct):
    abi: list[Entry]


@given(calls)
def test_decoding_a_call_undoes_encoding_it_and_another_library_encodes_the_same(call: ExecutorCall) -> None:
    data = calldata(call)
    assert decode_call(data) == call
    signature = SIGNATURES[type(call)]
    types = [one for one in signature[signature.index("(") + 1 : -1].split(",") if one]
    assert data == selector(signature) + abi_encode(types, msgspec.structs.astuple(call))


@given(calls, st.data())
def test_one_other_byte_is_another_call_or_refused(call: ExecutorCall, data: st.DataObject) -> None:
    changed = bytearray(calldata(call))
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_call(bytes(changed))
    except PlanDecodeError:
        return
    assert other != call
    assert calldata(other) == bytes(changed)


@given(st.sampled_from(list(SIGNATURES.values())), st.binary(max_size=400))
def test_random_arguments_are_refused_or_are_the_one_encoding(signature: str, arguments: bytes) -> None:
    data = selector(signature) + arguments
    try:
        call = decode_call(data)
    except PlanDecodeError:
        return
    assert calldata(call) == data


def test_every_function_of_the_compiled_contract_that_changes_something_is_known() -> None:
    compiled = msgspec.json.decode((CONTRACTS_OUT / "Executor.sol" / "Executor.json").read_bytes(), type=Compiled)
    changing = {
        f"{one.name}({','.join(parameter.type for parameter in one.inputs)})"
        for one in compiled.abi
        if one.type == "function" and one.mutability not in {"view", "pure"}
    }
    assert changing - FOR_ITSELF == set(SIGNATURES.values())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "byte 0, selector: the calldata has 0 bytes"),
        (b"\x01\x02\x03\x04", "byte 0, selector: 0x01020304 is none of the Executor's"),
        (calldata(Sweep(ADDRESS, 5))[:-1], "byte 36, amount: the calldata ends after 67 bytes"),
        (calldata(Sweep(ADDRESS, 5)) + b"\0", "byte 68: 1 bytes beside"),
        (calldata(SetOperator(ADDRESS, True))[:-1] + b"\x02", "byte 36, isOperator: 0x2 does not fit into 1 bits"),
        (selector("setGuardian(address)") + b"\x01" * 32, "byte 4, guardian: 0x10101"),
        (selector("setTipShareMax(uint16)") + b"\0" * 29 + b"\x01\0\0", "byte 4, tipShareMaxBps: 0x10000"),
    ],
)
def test_what_is_wrong_is_named_with_its_byte_and_argument(data: bytes, words: str) -> None:
    with pytest.raises(PlanDecodeError) as caught:
        decode_call(data)
    assert words in str(caught.value)


def test_a_share_that_does_not_fit_is_an_error_not_a_cut() -> None:
    with pytest.raises(OverflowError):
        calldata(SetTipShareMax(2**16))
