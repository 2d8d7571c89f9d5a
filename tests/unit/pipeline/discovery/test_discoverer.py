"""Discovery end to end against a chain in memory; the oracle is the chain's own list of what was created.

The factory is a real one (Uniswap v2's reader) with pairs whose addresses are derived by EIP-1014 in the test.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from eth_hash.auto import keccak
from tests.support.log_archive import MemoryArchive, too_much, unplaced

from headrace.adapters.factories.uniswap_v2 import PAIR_CREATED, UniswapV2Factory
from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading
from headrace.errors import CatalogueError, HeadraceError, IncompleteBlockError, MissingLogsError, RpcError
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.pipeline.discovery.discoverer import Discovered, Discoverer, Progress, Wanted
from headrace.pipeline.discovery.walk import Stretch
from headrace.ports.chain import Call

FACTORY = Address("0x" + "fa" * 20)
CODE_HASH = Hash32("0x" + "c0" * 32)
COUNT = keccak(b"allPairsLength()")[:4]
CONFIRMATIONS = 8


def token(number: int) -> Address:
    return Address(f"0x{number:040x}")


def pair(number: int) -> PoolId:
    """The address of the pair of tokens `number` and `number` + 1, by EIP-1014."""
    salt = keccak(bytes.fromhex(token(number)[2:] + token(number + 1)[2:]))
    return PoolId("0x" + keccak(b"\xff" + b"\xfa" * 20 + salt + b"\xc0" * 32)[12:].hex())


def created(number: int, named: Address | None = None) -> Log:
    topics = (PAIR_CREATED, *(Hash32(f"0x{token(n)[2:]:0>64}") for n in (number, number + 1)))
    return unplaced(FACTORY, topics, f"0x{(named or pair(number))[2:]:0>64}{number:064x}")


def grown(archive: MemoryArchive, first: int, last: int, *, every: int = 3) -> None:
    """Pairs `first` to `last`, one in every third block."""
    for number in range(first, last + 1):
        archive.grow([created(number)])
        for _ in range(every - 1):
            archive.grow()
    archive.answer = lambda call: last.to_bytes(32, "big") if call.data == COUNT else None


def catalogue(folder: Path, factory: UniswapV2Factory, *, is_writer: bool = True) -> CatalogueFile:
    heading = Heading(
        chain_id=ChainId(1), factory=factory.address, topics=factory.topics, proof=factory.proof, first_block=0
    )
    return CatalogueFile(folder / "pairs.jsonl", heading, is_writer=is_writer)


class Run:
    """One discovery, with what it told."""

    def __init__(self, archive: MemoryArchive, folder: Path, code_hash: Hash32 | None = CODE_HASH) -> None:
        self.archive = archive
        self.folder = folder
        self.factory = UniswapV2Factory(FACTORY, code_hash)
        self.progress: list[Progress] = []

    def __call__(self, last_block: int | None = None, pools_max: int | None = None) -> Discovered:
        async def nap(seconds: float) -> None:
            assert seconds > 0

        wanted = Wanted(last_block=last_block, confirmations=CONFIRMATIONS, pools_max=pools_max)
        with catalogue(self.folder, self.factory) as kept:
            return asyncio.run(Discoverer(self.archive, self.factory, kept, nap).run(wanted, self.progress.append))


def test_all_pairs_are_found_and_only_deep_blocks_are_kept(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 40)
    archive.refuse = lambda query, _count: too_much() if query.blocks > 10 else None
    run = Run(archive, tmp_path)
    found = run()
    assert [one.pool for one in found.creations] == [pair(n) for n in range(1, 41)]
    assert [one.tokens for one in found.creations] == [(token(n), token(n + 1)) for n in range(1, 41)]
    assert not any(one.flaw for one in found.creations)
    assert found.is_whole
    assert found.last_block == archive.tip.header.number
    assert found.kept_to_block == archive.tip.header.number - CONFIRMATIONS
    assert [one.next_block for one in run.progress] == sorted({one.next_block for one in run.progress})
    assert run.progress[-1].next_block == archive.tip.header.number + 1


def test_a_second_run_asks_only_for_what_is_new(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    first = Run(archive, tmp_path)()
    kept = first.kept_to_block
    assert kept is not None
    archive.asked.clear()
    grown(archive, 21, 30)
    found = Run(archive, tmp_path)()
    assert [one.pool for one in found.creations] == [pair(n) for n in range(1, 31)]
    assert min(query.first for query in archive.asked) == kept + 1


def test_blocks_that_were_replaced_leave_nothing_behind(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    assert len(Run(archive, tmp_path)().creations) == 20
    archive.cut(archive.tip.header.number - 5)  # not as deep as what is kept
    made = len(archive.all_logs(0, archive.tip.header.number))
    assert made < 20
    for _ in range(10):
        archive.grow()
    archive.answer = lambda call: made.to_bytes(32, "big") if call.data == COUNT else None
    assert [one.pool for one in Run(archive, tmp_path)().creations] == [pair(n) for n in range(1, made + 1)]


def test_what_is_kept_of_another_chain_is_refused_with_the_cure(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    Run(archive, tmp_path)()
    other = MemoryArchive()
    other.grow()
    with pytest.raises(CatalogueError, match=r"the node only to 1: wait for the node, or delete it"):
        Run(other, tmp_path)()
    archive.cut(10)
    grown(archive, 5, 30)
    with pytest.raises(CatalogueError, match=r"it is of another chain, or delete it"):
        Run(archive, tmp_path)()


def test_a_process_that_dies_at_any_append_goes_on_where_it_ended(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 40)
    archive.refuse = lambda query, _count: too_much() if query.blocks > 10 else None
    path = tmp_path / "pairs.jsonl"
    runs = 0
    while True:
        budget = [2]  # a node that dies after two answers

        def refuse(query: object, _count: int, *, budget: list[int] = budget) -> Exception | None:
            blocks = getattr(query, "blocks", 0)
            if blocks > 10:
                return too_much()
            budget[0] -= 1
            return RpcError("eth_getLogs", -32601, "gone") if budget[0] < 0 else None

        archive.refuse = refuse
        runs += 1
        try:
            found = Run(archive, tmp_path)()
            break
        except RpcError:
            with path.open("ab") as file:  # and the half of a line
                file.write(b'{"first":7,"last":{"num')
    assert runs > 4
    assert [one.pool for one in found.creations] == [pair(n) for n in range(1, 41)]


def test_a_pool_that_the_rule_does_not_give_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    archive = MemoryArchive()
    archive.grow([created(1), created(2, named=token(999)), created(3)])
    found = Run(archive, tmp_path)()
    assert [bool(one.flaw) for one in found.creations] == [False, True, False]
    assert pair(2) in found.creations[1].flaw


def test_where_no_rule_is_known_the_factory_is_asked_and_must_agree(tmp_path: Path) -> None:
    archive = MemoryArchive()
    archive.grow([created(1), created(2), created(3)])
    asked: list[Call] = []

    def answer(call: Call) -> bytes | None:
        if call.data == COUNT:
            return (3).to_bytes(32, "big")
        asked.append(call)
        first = int.from_bytes(call.data[4:36], "big")
        return {1: bytes(12) + bytes.fromhex(pair(1)[2:]), 2: bytes(32), 3: None}[first]

    archive.answer = answer
    found = Run(archive, tmp_path, code_hash=None)()
    assert [call.data[:4] for call in asked] == [keccak(b"getPair(address,address)")[:4]] * 3
    assert [one.flaw for one in found.creations] == [
        "",
        f"its factory answers {token(0)} for its tokens",
        "its factory does not answer",
    ]


def test_a_log_of_another_form_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    archive = MemoryArchive()
    strange = unplaced(FACTORY, (PAIR_CREATED,), "0x")
    for _ in range(2):
        archive.grow([created(1), strange, created(2)])
        for _ in range(CONFIRMATIONS):
            archive.grow()
        archive.answer = lambda call: (2).to_bytes(32, "big") if call.data == COUNT else None
    found = Run(archive, tmp_path)()
    assert len(found.malformed) == 2
    assert found.malformed[0] == f"block 1, log 1: pool {FACTORY}: topics: 1 instead of 3"
    with catalogue(tmp_path, UniswapV2Factory(FACTORY, CODE_HASH), is_writer=False) as kept:
        assert list(kept.malformed) == list(found.malformed)[: len(kept.malformed)]
        assert kept.malformed


@pytest.mark.parametrize("hidden", [4, 11, 19])
def test_a_node_that_hides_a_log_is_found_out(tmp_path: Path, hidden: int) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    place = next((log.block_number, log.log_index) for log in archive.all_logs(0, 99)[hidden:])
    archive.hidden.add(place)
    with pytest.raises(MissingLogsError, match="use another node"):
        Run(archive, tmp_path)()
    archive.hidden.clear()
    assert len(Run(archive, tmp_path)().creations) == 20


def test_the_factorys_own_count_shows_what_is_missing_at_the_end(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    for log in archive.all_logs(0, 99)[17:]:
        archive.hidden.add((log.block_number, log.log_index))
    with pytest.raises(MissingLogsError, match="the factory counts 20 pools, the last one found is number 17"):
        Run(archive, tmp_path)()


def skips_a_block(run: Run) -> AbstractContextManager[object]:
    del run
    exact = Stretch

    def longer(first: int, last: int, logs: tuple[Log, ...]) -> Stretch:
        return exact(first, last + 1, logs)

    return patch("headrace.pipeline.discovery.walk.Stretch", longer)


def believes_the_node(run: Run) -> AbstractContextManager[object]:
    run.archive.hidden = {(log.block_number, log.log_index) for log in run.archive.all_logs(0, 99)[9:10]}
    return patch("headrace.pipeline.discovery.discoverer.require_consecutive", lambda *_: None)


def believes_the_log(run: Run) -> AbstractContextManager[object]:
    run.archive.grow([created(999, named=token(5))])
    run.archive.answer = lambda _: None
    return patch.object(UniswapV2Factory, "_flaw", lambda *_: "")


def keeps_what_is_not_deep(run: Run) -> AbstractContextManager[object]:
    class Rash(Wanted, frozen=True):
        def __post_init__(self) -> None:
            msgspec.structs.force_setattr(self, "confirmations", 0)

    patched = patch(f"{__name__}.Wanted", Rash)
    with patched:
        run()
    run.archive.cut(run.archive.tip.header.number - 5)
    for _ in range(10):
        run.archive.grow()
    return patched


@pytest.mark.parametrize("fault", [skips_a_block, believes_the_node, believes_the_log, keeps_what_is_not_deep])
def test_faults_of_discovery_are_caught(tmp_path: Path, fault: Callable[[Run], AbstractContextManager[object]]) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    archive.refuse = lambda query, _count: too_much() if query.blocks > 5 else None
    run = Run(archive, tmp_path)
    with fault(run), pytest.raises((AssertionError, HeadraceError)):
        require_all_that_is_on_chain(run)


def test_without_a_fault_the_same_check_passes(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    archive.refuse = lambda query, _count: too_much() if query.blocks > 5 else None
    require_all_that_is_on_chain(Run(archive, tmp_path))


def require_all_that_is_on_chain(run: Run) -> None:
    found = run()
    on_chain = {"0x" + log.data[26:66] for log in run.archive.all_logs(0, 999)}
    expected = [pair(n) for n in range(1, 21) if pair(n) in on_chain]
    assert [one.pool for one in found.creations if not one.flaw] == expected


def test_a_search_can_end_early_by_block_or_by_number(tmp_path: Path) -> None:
    archive = MemoryArchive()
    grown(archive, 1, 20)
    archive.refuse = lambda query, _count: too_much() if query.blocks > 4 else None
    by_number = Run(archive, tmp_path / "a")(pools_max=5)
    assert not by_number.is_whole
    assert 5 <= len(by_number.creations) <= 6
    assert by_number.last_block == by_number.kept_to_block
    by_block = Run(archive, tmp_path / "b")(last_block=12)
    assert by_block.is_whole
    assert [one.pool for one in by_block.creations] == [pair(n) for n in range(1, 5)]
    assert len(Run(archive, tmp_path / "a")().creations) == 20


def test_a_block_that_is_replaced_while_it_is_read_is_not_kept(tmp_path: Path) -> None:
    class Torn(MemoryArchive):
        def __init__(self) -> None:
            super().__init__()
            self.answers: dict[int, BlockHeader] = {}

        async def header_by_number(self, number: int) -> BlockHeader | None:
            return self.answers.get(number)

    archive = Torn()
    archive.grow([created(1)])
    other = archive.tip.header
    archive.cut(0)
    archive.grow([created(1)])
    for _ in range(CONFIRMATIONS):
        archive.grow()
    with pytest.raises(IncompleteBlockError, match="does not know block 1"):
        Run(archive, tmp_path)()
    archive.answers = {1: other}
    with pytest.raises(IncompleteBlockError, match="was replaced"):
        Run(archive, tmp_path)()
    archive.answers = {1: archive.blocks[archive.all_logs(1, 1)[0].block_hash].header}
    assert len(Run(archive, tmp_path)().creations) == 1
