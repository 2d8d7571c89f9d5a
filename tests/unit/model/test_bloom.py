"""The oracle is the yellow paper's definition, bit by bit."""

import random

from tests.support.memory_chain import brute_force_bloom

from headrace.model.address import Address, Hash32
from headrace.model.bloom import logs_bloom
from headrace.model.event import Log


def random_log(source: random.Random) -> Log:
    def word(size: int) -> str:
        return "0x" + source.randbytes(size).hex()

    topics = tuple(Hash32(word(32)) for _ in range(source.randrange(5)))
    return Log(Address(word(20)), topics, word(64), Hash32(word(32)), 1, Hash32(word(32)), 0)


def test_the_bloom_of_no_logs_is_empty() -> None:
    assert logs_bloom([]) == bytes(256)


def test_the_bloom_is_the_yellow_papers_for_random_logs() -> None:
    source = random.Random(1)
    for count in range(60):
        logs = [random_log(source) for _ in range(count)]
        assert logs_bloom(logs) == brute_force_bloom(logs)


def test_data_does_not_enter_the_bloom() -> None:
    log = random_log(random.Random(2))
    other = Log(log.address, log.topics, "0x", log.block_hash, 1, log.tx_hash, 0)
    assert logs_bloom([log]) == logs_bloom([other])
