"""Many reads through Multicall3; the contract here is a stand-in written with eth-abi, as its source documents it.

tests/conformance/chain/test_multicall.py asks the real contract.
"""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from eth_abi.abi import decode, encode
from eth_hash.auto import keccak
from tests.support.log_archive import MemoryArchive

from headrace.adapters.chains.evm.multicall import Multicall
from headrace.errors import ConfigError, RpcError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call

CONTRACT = Address("0x" + "ca" * 20)
SELECTOR = keccak(b"aggregate3((address,bool,bytes)[])")[:4]
CALLS = [Call(Address(f"0x{n:040x}"), bytes([n % 256]) * (n % 7)) for n in range(600)]


def own_answer(call: Call) -> bytes | None:
    """Every fifth reverts, every seventh has no code."""
    number = int(call.to, 16)
    if number % 5 == 0:
        return None
    return b"" if number % 7 == 0 else call.to.encode() + call.data


class Bundled(MemoryArchive):
    """Answers calls themselves with `own_answer`, and bundles of them with `bundle`."""

    def __init__(self, bundle: Callable[[list[Call]], bytes | None]) -> None:
        super().__init__()
        self.bundle = bundle
        self.direct: list[Call] = []
        self.bundles = 0

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == self.tip.header.hash
        return tuple(self._one(call) for call in calls)

    def _one(self, call: Call) -> bytes | None:
        if call.to != CONTRACT:
            self.direct.append(call)
            return own_answer(call)
        assert call.data[:4] == SELECTOR
        (wires,) = decode(["(address,bool,bytes)[]"], call.data[4:])
        assert all(may_fail for _, may_fail, _ in wires)
        self.bundles += 1
        return self.bundle([Call(Address(to), data) for to, _, data in wires])


def results(pairs: list[tuple[bool, bytes]]) -> bytes:
    return encode(["(bool,bytes)[]"], [pairs])


def honest(calls: list[Call]) -> bytes:
    answers = [own_answer(call) for call in calls]
    return results([(answer is not None, b"reverted" if answer is None else answer) for answer in answers])


def read(chain: Bundled, contract: Address | None = CONTRACT) -> list[bytes | None]:
    return list(asyncio.run(Multicall(chain, contract).call_many(CALLS, chain.tip.header.hash)))


EXPECTED = [own_answer(call) for call in CALLS]


def test_answers_are_those_of_the_calls_themselves_in_few_bundles() -> None:
    chain = Bundled(honest)
    assert read(chain) == EXPECTED
    assert chain.bundles == 3
    assert [own_answer(call) for call in chain.direct] == [None] * 120  # only what failed was asked again


def test_without_a_contract_every_call_is_asked_itself() -> None:
    chain = Bundled(honest)
    assert read(chain, None) == EXPECTED
    assert chain.direct == CALLS


def test_a_call_that_fails_only_in_the_bundle_keeps_its_answer() -> None:
    """A token that burns all gas makes everything behind it fail."""
    chain = Bundled(lambda calls: results([(False, b"")] * len(calls)))
    assert read(chain) == EXPECTED


def test_a_bundle_that_fails_as_a_whole_is_asked_call_by_call() -> None:
    assert read(Bundled(lambda _: None)) == EXPECTED


def test_a_node_that_refuses_bundles_is_asked_call_by_call() -> None:
    def refuse(_: list[Call]) -> bytes:
        raise RpcError("eth_call", -32000, "out of gas: gas required exceeds: 50000000")

    assert read(Bundled(refuse)) == EXPECTED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "does not answer as Multicall3 does"),
        (bytes(32), "gives 0 answers|does not answer"),
        (b"\xff" * 96, "does not answer as Multicall3 does"),
        (results([(True, b"")]), "gives 1 answers to 250 calls"),
        (results([(True, b"some")] * 250)[:-40], "does not answer as Multicall3 does"),
        (results([(True, b"some")] * 250)[:700], "does not answer as Multicall3 does"),
        (results([(True, b"some")] * 250).replace((4).to_bytes(32, "big"), b"\xff" * 32), "does not answer"),
    ],
)
def test_another_contract_in_its_place_is_named(answer: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read(Bundled(lambda _: answer))


def test_a_bundle_is_encoded_to_the_byte_as_the_abi_says() -> None:
    seen: list[bytes] = []

    class Listening(Bundled):
        async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
            seen.extend(call.data for call in calls if call.to == CONTRACT)
            return await super().call_many(calls, block)

    read(Listening(honest))
    wires = [(call.to, True, call.data) for call in CALLS[:250]]
    assert seen[0] == SELECTOR + encode(["(address,bool,bytes)[]"], [wires])
