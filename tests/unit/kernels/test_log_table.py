"""A block's table beside the logs that the strict reader makes of the same text: sets, scans and slices in Python."""

import random

import msgspec
import numpy as np
import pytest
from tests.support import log_frames
from tests.support.log_frames import Fields, block, digits

from headrace.adapters.chains.evm.answer import read_logs
from headrace.adapters.chains.evm.log_scan import scan_logs
from headrace.kernels import log_table
from headrace.kernels.address_index import AddressIndex
from headrace.kernels.log_table import LogTable, topic_words
from headrace.model.address import Address, Hash32
from headrace.model.bloom import bloom_of, logs_bloom
from headrace.model.event import Log


def read(fields: list[Fields]) -> tuple[LogTable, tuple[Log, ...]]:
    raw = msgspec.Raw(log_frames.plainly(fields).encode())
    table = scan_logs(raw)
    assert table is not None
    return table, read_logs(raw)


def repetitive(rng: random.Random) -> list[Fields]:
    """A block whose addresses and topics come again, as a real one's do."""
    fields = block(rng, logs_max=40)
    addresses, topics = [digits(rng, 40) for _ in range(6)], [digits(rng, 64) for _ in range(5)]
    for log in fields:
        log["address"], log["topics"] = rng.choice(addresses), rng.choices(topics, k=rng.randrange(5))
    return fields


def named(topics: list[Hash32]) -> set[tuple[Hash32, ...]]:
    return {(topic,) for topic in topics}


@pytest.mark.parametrize("seed", range(20))
def test_columns_and_rows_are_those_of_the_logs(seed: int) -> None:
    rng = random.Random(seed)
    table, logs = read(repetitive(rng))
    rows = np.array(sorted(rng.sample(range(len(logs)), rng.randrange(len(logs) + 1))), np.int64)
    assert table.logs_at(rows) == [logs[row] for row in rows]
    assert table.addresses_at(rows) == [logs[row].address for row in rows]
    items = {item for log in logs for item in (log.address, *log.topics)}
    assert sorted(table.addresses_and_topics()) == sorted(items), "each once: their slots lie apart"
    assert bloom_of(table.addresses_and_topics()) == logs_bloom(logs)
    wanted = [*rng.sample(sorted({topic for log in logs for topic in log.topics}), 2), Hash32(digits(rng, 64))]
    found = [row for row, log in enumerate(logs) if log.topics and log.topics[0] in wanted]
    assert table.rows_of(topic_words(wanted)).tolist() == found
    kinds = [rng.randrange(-1, 3) for _ in logs]
    lists = [wanted[:1], [], wanted[1:]]
    outside = [
        row for row, log in enumerate(logs) if kinds[row] >= 0 and log.topics[:1] not in named(lists[kinds[row]])
    ]
    numbers_of_kinds, starts = np.array(kinds, np.int64), np.array([0, 1, 1, 3], np.int64)
    assert table.rows_outside(numbers_of_kinds, topic_words(wanted), starts).tolist() == outside
    known = [Address(digits(rng, 40)), *{log.address for log in logs[::2]}]
    numbers = [known.index(log.address) if log.address in known else -1 for log in logs]
    assert table.numbers_in(AddressIndex(known)).tolist() == numbers


def test_a_table_is_a_sequence_of_its_logs() -> None:
    table, logs = read(block(random.Random(1), logs_max=5))
    assert len(table) == len(logs) > 2
    assert table == logs
    assert table == list(logs)
    assert table != logs[1:]
    assert table != "logs"
    assert [table[0], table[-1]] == [logs[0], logs[-1]]
    assert table[1:] == list(logs[1:])
    assert list(reversed(table)) == list(reversed(logs))
    with pytest.raises(IndexError):
        table[len(logs)]


def test_a_topic_is_found_by_all_of_its_digits() -> None:
    fields = block(random.Random(2), logs_max=1)
    topic = digits(random.Random(3), 64)
    for at in range(2, 66):
        fields[0]["topics"] = [topic[:at] + ("0" if topic[at] != "0" else "1") + topic[at + 1 :]]
        assert not len(read(fields)[0].rows_of(topic_words([Hash32(topic)])))


def test_an_address_is_found_by_all_of_its_digits_among_many() -> None:
    rng = random.Random(4)
    known = [Address(digits(rng, 40)) for _ in range(1_000)]
    index, fields = AddressIndex(known), block(rng, logs_max=1)
    for at in range(2, 42):
        address = known[at]
        for text, number in (
            (address, at),
            (address[:at] + ("0" if address[at] != "0" else "1") + address[at + 1 :], -1),
        ):
            fields[0]["address"] = text
            assert read(fields)[0].numbers_in(index).tolist()[:1] == [number]


def test_no_address_is_found_where_none_is_known() -> None:
    table, _ = read(block(random.Random(5)))
    assert table.numbers_in(AddressIndex([])).tolist()[:1] == [-1]


def test_items_whose_slots_are_taken_are_named_again_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel as plain Python, with a hash that sends every item to the same slot."""
    monkeypatch.setattr(log_table, "mixed", lambda *_: 0)
    for name in ("_noted", "_distinct_items"):
        monkeypatch.setattr(log_table, name, getattr(log_table, name).py_func)
    table, logs = read(block(random.Random(6), logs_max=30))
    items = [item for log in logs for item in (log.address, *log.topics)]
    assert len(items) > 16
    assert set(table.addresses_and_topics()) == set(items)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_the_two_words_of_data_where_both_fit(seed: int) -> None:
    rng = random.Random(seed)
    fields = block(rng, logs_max=60)
    for one in fields:
        sizes = [rng.choice((0, 1, 111, 112, 112, 113, rng.randrange(257))) for _ in "ab"]
        pair = "0x" + "".join(f"{rng.getrandbits(size) | (1 << size >> 1):064x}" for size in sizes)
        one["data"] = rng.choice((pair, pair, pair, pair[:66], pair + "00"))
        one["topics"] = [digits(rng, 64)] * rng.choice((1, 1, 1, 0, 2))
    table, logs = read(fields)
    packed, is_pair = table.uint112_pairs_at(np.arange(len(logs)))
    for row, log in enumerate(logs):
        words = [int(log.data[at : at + 64], 16) for at in range(2, len(log.data), 64)]
        is_one = len(log.topics) == 1 and len(log.data) == 130 and max(words) < 1 << 112
        assert is_pair[row] == is_one, log
        if is_one:
            assert [int.from_bytes(number) for number in packed[row].tolist()] == words
    assert 0 < sum(is_pair) < len(logs)
