"""The fold of pending transactions. The oracle of the random runs is brute force: a model that keeps everything."""

import random
from collections import Counter

import msgspec
import pytest
from tests.support.pending import call_of, transaction

from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pending import MinedTransaction, PendingTransaction
from headrace.model.swap_call import NOTHING_CALLED, DecodedCall
from headrace.pipeline.pending import pending_set
from headrace.pipeline.pending.pending_set import PendingEntry, PendingLimits, PendingSet, Taken

SEEDS = range(60)
POOLS = [PoolId(f"0x{number}") for number in range(4)]


def call_for(one: PendingTransaction) -> DecodedCall:
    """Through none, one or two pools, as its hash says."""
    return DecodedCall(
        undecoded=tuple(POOLS[(one.nonce * i + one.max_fee_wei) % 4] for i in range(one.max_fee_wei % 3))
    )


def pools_of(call: DecodedCall) -> frozenset[PoolId]:
    return frozenset(PoolId(name) for name in call.undecoded)


def mined(one: PendingTransaction) -> MinedTransaction:
    return MinedTransaction(one.hash, one.sender, one.nonce)


def test_a_transaction_announced_twice_is_held_once() -> None:
    held = PendingSet(100)
    one = transaction(1)
    assert [held.add(one, NOTHING_CALLED), held.has_seen(one), held.add(one, NOTHING_CALLED)] == [
        *(Taken.NEW, True, Taken.KNOWN)
    ]
    assert [entry.hash for entry in held] == [one.hash]


@pytest.mark.parametrize(
    ("fees", "taken"),
    [
        ((11, 2), Taken.REPLACING),
        ((11, 1), Taken.REPLACING),
        ((11, 0), Taken.UNDERPRICED),
        ((10, 2), Taken.UNDERPRICED),
        ((9, 5), Taken.UNDERPRICED),
    ],
)
def test_the_same_nonce_is_taken_over_only_by_who_offers_more(fees: tuple[int, int], taken: Taken) -> None:
    held = PendingSet(100)
    first, second = transaction(1, nonce=4, fees=(10, 1)), transaction(2, nonce=4, fees=fees)
    held.add(first, NOTHING_CALLED)
    assert held.add(second, NOTHING_CALLED) == taken
    assert [entry.hash for entry in held] == [second.hash if taken is Taken.REPLACING else first.hash]


def test_a_block_takes_its_transactions_and_what_it_makes_impossible() -> None:
    held = PendingSet(100)
    old, same, other, later, stranger = (
        transaction(1, nonce=3),
        transaction(2, nonce=4),
        transaction(3, nonce=4, fees=(99, 9)),
        transaction(4, nonce=5),
        transaction(5, nonce=4, sender=9),
    )
    for one in (old, same, later, stranger):
        held.add(one, NOTHING_CALLED)
    held.apply_block(101, [mined(other)])
    assert {entry.hash for entry in held} == {later.hash, stranger.hash}
    assert (held.counters.mined, held.counters.superseded) == (0, 2)
    assert held.add(same, NOTHING_CALLED) == Taken.MINED
    held.apply_block(102, [mined(later)])
    assert (held.counters.mined, len(held)) == (1, 1)


def test_after_a_reorg_what_came_back_is_taken_up_again() -> None:
    held = PendingSet(100)
    one = transaction(1)
    held.apply_block(101, [mined(one)])
    assert held.add(one, NOTHING_CALLED) == Taken.MINED
    held.apply_block(101, [])
    assert held.add(one, NOTHING_CALLED) == Taken.NEW


def test_what_is_not_mined_for_too_long_is_no_longer_believed_in() -> None:
    held = PendingSet(100, PendingLimits(age_blocks_max=3))
    held.add(transaction(1), NOTHING_CALLED)
    held.apply_block(102, [])
    held.add(transaction(2, sender=7), NOTHING_CALLED)
    held.apply_block(103, [])
    assert len(held) == 2
    held.apply_block(104, [])
    assert [entry.hash for entry in held] == [transaction(2).hash]
    assert held.counters.expired == 1


def test_a_full_set_lets_the_oldest_go_and_remembers_no_more_senders_and_names_than_it_may() -> None:
    limits = PendingLimits(transactions_max=3, senders_max=2, names_max=2)
    held = PendingSet(100, limits)
    for i in range(5):
        held.add(transaction(i, sender=i), DecodedCall(undecoded=(f"0x{i:08x}", "0x00000000"), flaw="bad" if i else ""))
    assert [entry.hash for entry in held] == [transaction(i).hash for i in (2, 3, 4)]
    assert (held.counters.evicted, held.counters.flawed) == (2, 4)
    assert held.counters.undecoded == {"0x00000000": 6, "0x00000001": 1, "other": 3}
    held.apply_block(101, [mined(transaction(i, sender=i)) for i in (2, 3, 4)])
    assert held.add(transaction(2, sender=2), NOTHING_CALLED) == Taken.NEW  # forgotten
    assert held.add(transaction(4, sender=4), NOTHING_CALLED) == Taken.MINED


def test_calldata_is_not_kept() -> None:
    held = PendingSet(100)
    held.add(msgspec.structs.replace(transaction(1), data=b"x" * 1000), call_of(()))
    (entry,) = held
    assert not hasattr(entry, "data")


class Model:
    """Keeps everything that ever came, and asks of each whether it would still be there."""

    def __init__(self, limits: PendingLimits) -> None:
        self.limits = limits
        self.held: list[tuple[PendingTransaction, int]] = []
        self.used: dict[Address, int] = {}

    def add(self, one: PendingTransaction, head: int) -> None:
        rivals = [t for t, _ in self.held if (t.sender, t.nonce) == (one.sender, one.nonce)]
        if one.nonce < self.used.get(one.sender, 0) or any(t.hash == one.hash for t in rivals):
            return
        if any(one.max_fee_wei <= t.max_fee_wei or one.priority_fee_wei < t.priority_fee_wei for t in rivals):
            return
        self.held = [(t, at) for t, at in self.held if t not in rivals]
        self.held = [*self.held, (one, head)][-self.limits.transactions_max :]

    def block(self, number: int, ones: list[PendingTransaction]) -> None:
        for one in ones:
            self.used[one.sender] = max(self.used.get(one.sender, 0), one.nonce + 1)
        self.held = [
            (t, at)
            for t, at in self.held
            if t.nonce >= self.used.get(t.sender, 0) and at >= number - self.limits.age_blocks_max
        ]


def test_random_runs_end_as_the_model_does() -> None:
    reached = run_against_the_model()
    print(dict(reached))  # noqa: T201 - how often each class was reached is part of the result
    wanted = (*Taken, "mined", "superseded", "expired", "evicted", "touching")
    assert min(reached[name] for name in wanted) >= 20


REMOVE, TOUCHING = PendingSet._remove, PendingSet.touching


def forgetful(held: PendingSet, one: Hash32) -> None:
    kept = {pool: dict(entries) for pool, entries in held._by_pool.items()}
    REMOVE(held, one)
    held._by_pool = kept


def last_only(held: PendingSet, pools: list[PoolId]) -> tuple[PendingEntry, ...]:
    return TOUCHING(held, pools[-1:])


MUTANTS = {
    "anybody outbids": (pending_set, "_outbids", lambda _newcomer, _held: True),
    "nobody outbids": (pending_set, "_outbids", lambda _newcomer, _held: False),
    "no nonce is used": (PendingSet, "_is_used", lambda _self, _transaction: False),
    "what left still touches": (PendingSet, "_remove", forgetful),
    "only the last pool counts": (PendingSet, "touching", last_only),
    "blocks hold nothing": (PendingSet, "_use", lambda _self, _mined: None),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_model_tells_mutants_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[name])
    with pytest.raises(AssertionError, match="step"):
        run_against_the_model()


def run_against_the_model() -> Counter[str]:
    reached: Counter[str] = Counter()
    for seed in SEEDS:
        draw = random.Random(seed)
        limits = PendingLimits(transactions_max=12, age_blocks_max=4)
        held, model, head = PendingSet(100, limits, pools_of), Model(limits), 100
        for step in range(300):
            nonce, sender = draw.randrange(step // 30, step // 30 + 6), draw.randrange(5)
            fees = draw.randint(5, 15), draw.randint(0, 4)
            one = transaction(hash((nonce, sender, fees)) % 10**9, nonce=nonce, sender=sender, fees=fees)
            if draw.random() < 0.8:
                reached[held.add(one, call_for(one))] += 1
                model.add(one, head)
            else:
                head += 1
                model.block(head, [one])
                held.apply_block(head, [mined(one)])
            assert [entry.hash for entry in held] == [t.hash for t, _ in model.held], f"seed {seed}, step {step}"
            asked = draw.sample(POOLS, 2)
            touching = [t.hash for t, _ in model.held if pools_of(call_for(t)).intersection(asked)]
            answer = [entry.hash for entry in held.touching(asked)]
            assert sorted(answer) == sorted(touching), f"seed {seed}, step {step}"
            reached["touching"] += len(touching)
        counters = held.counters
        reached.update(mined=counters.mined, superseded=counters.superseded)
        reached.update(expired=counters.expired, evicted=counters.evicted)
    return reached


def test_hashes_are_told_apart() -> None:
    assert transaction(1).hash == Hash32("0x" + "00" * 31 + "01") != transaction(2).hash
