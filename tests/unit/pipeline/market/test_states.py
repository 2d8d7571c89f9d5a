"""Readers of the states against plain copies of the list, taken at the moment at which each was handed out."""

import gc
import random
import weakref
from collections import Counter

import pytest

from headrace.pipeline.market import states as module
from headrace.pipeline.market.states import States, StatesAt

COUNT = 12


def change(written: States[int], news: dict[int, int]) -> dict[int, int]:
    replaced: dict[int, int] = {}
    written.begin(replaced)
    for index, state in news.items():
        replaced[index] = written.now[index]
        written.now[index] = state
    return replaced


def require_equal(reader: StatesAt[int], copy: list[int]) -> None:
    assert [reader[i] for i in range(COUNT)] == copy
    assert [reader[i] for i in range(-COUNT, 0)] == copy
    assert list(reader) == copy
    assert reader == tuple(copy)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("changes_max", [1, 3, 64])
def test_every_reader_sees_what_was_there_when_it_was_handed_out(
    seed: int, changes_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHANGES_MAX", changes_max)
    draw = random.Random(seed)
    written, held = States(list(range(COUNT))), list[tuple[StatesAt[int], list[int]]]()
    did: Counter[str] = Counter()
    for number in range(200):
        news = {draw.randrange(COUNT): 1000 * number + i for i in range(draw.randrange(4))}
        change(written, news)
        did["changed"] += bool(news)
        if draw.random() < 0.5:
            held.append((written.reader(), written.now.copy()))
            did["handed out"] += 1
        if held and draw.random() < 0.3:
            del held[draw.randrange(len(held))]
            did["let go"] += 1
        for reader, copy in held:
            require_equal(reader, copy)
    print(dict(did))  # noqa: T201 - how often each was reached
    assert min(did.values()) > 20


def test_what_a_change_gains_later_is_what_was_there_before_it() -> None:
    written = States([1, 2, 3])
    first = written.reader()
    replaced = change(written, {0: 10})
    second = written.reader()
    replaced.setdefault(1, written.now[1])
    change(written, {1: 20})
    assert [list(one) for one in (first, second, written.reader())] == [[1, 2, 3], [10, 2, 3], [10, 20, 3]]


def test_an_old_reader_keeps_no_more_alive_than_its_own_states() -> None:
    class State:
        """Something that can be waited for to go."""

    written = States([State()])
    reader, first = written.reader(), written.now[0]
    replaced = list[weakref.ref[State]]()
    for _ in range(3 * module.CHANGES_MAX):
        before: dict[int, State] = {}
        written.begin(before)
        before[0] = written.now[0]
        written.now[0] = State()
        replaced.append(weakref.ref(written.now[0]))
    gc.collect()
    assert reader[0] is first
    assert sum(one() is not None for one in replaced) <= module.CHANGES_MAX + 1


def test_readers_of_one_version_are_one() -> None:
    written = States([1])
    assert written.reader() is written.reader()
    first = written.reader()
    change(written, {})
    assert written.reader() is not first
    assert written.reader() == first


def test_a_reader_is_a_sequence_that_equals_others_by_its_states() -> None:
    reader = States([1, 2, 3]).reader()
    assert (len(reader), reader[1:], reader.index(3), 2 in reader) == (3, [2, 3], 2, True)
    assert reader != (1, 2)
    assert reader != (1, 2, 4)
    assert reader != {1, 2, 3}
    with pytest.raises(IndexError):
        reader[3]
    with pytest.raises(TypeError, match="unhashable"):
        hash(reader)
