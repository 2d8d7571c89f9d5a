"""Answers to `eth_getLogs` as nodes write them, as no node does, and broken: seeded, for comparing two readers."""

import json
import random
from collections.abc import Callable

Fields = dict[str, object]
_BLANKS = ("", "", "", " ", "\n", "\t ", "\r\n  ")
_HEX = "0123456789abcdef"


def digits(rng: random.Random, count: int) -> str:
    return "0x" + "".join(rng.choices(_HEX, k=count))


def block(rng: random.Random, logs_max: int = 5) -> list[Fields]:
    """The logs of one block, all of them as they should be."""
    block_hash, number = digits(rng, 64), hex(rng.randrange(1, 1 << 40))
    return [
        {
            "address": digits(rng, 40),
            "topics": [digits(rng, 64) for _ in range(rng.randrange(5))],
            "data": digits(rng, 2 * rng.choice((0, 1, 2, 3, 4, 5, 31, 32, 64, rng.randrange(200)))),
            "blockHash": block_hash,
            "blockNumber": number,
            "blockTimestamp": hex(rng.randrange(1 << 31)),
            "transactionHash": digits(rng, 64),
            "transactionIndex": hex(index // 3),
            "logIndex": hex(index),
            "removed": False,
        }
        for index in range(rng.randrange(1, logs_max + 1))
    ]


def _blank(rng: random.Random) -> str:
    return rng.choice(_BLANKS)


def written(rng: random.Random, value: object) -> str:
    """JSON with blanks anywhere, each object's keys in any order."""
    if isinstance(value, dict):
        members = list(value.items())
        rng.shuffle(members)
        keys = {key: _blank(rng) + json.dumps(key, ensure_ascii=False) + _blank(rng) for key in value}
        body = ",".join(f"{keys[key]}:{written(rng, one)}" for key, one in members)
        return f"{_blank(rng)}{{{body or _blank(rng)}}}{_blank(rng)}"
    if isinstance(value, list):
        return f"{_blank(rng)}[{','.join(written(rng, one) for one in value) or _blank(rng)}]{_blank(rng)}"
    return f"{_blank(rng)}{json.dumps(value, ensure_ascii=False)}{_blank(rng)}"


def plainly(logs: list[Fields]) -> str:
    """JSON as nodes write it."""
    return json.dumps(logs, ensure_ascii=False, separators=(",", ":"))


def _with(key: str, value: object) -> Callable[[random.Random, Fields], None]:
    def change(rng: random.Random, log: Fields) -> None:
        del rng
        log[key] = value

    return change


def _without(key: str) -> Callable[[random.Random, Fields], None]:
    def change(rng: random.Random, log: Fields) -> None:
        del rng
        log.pop(key)

    return change


def _spoilt(key: str, spoil: Callable[[random.Random, str], str]) -> Callable[[random.Random, Fields], None]:
    def change(rng: random.Random, log: Fields) -> None:
        log[key] = spoil(rng, str(log[key]))

    return change


def _one_wrong(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice('gG:/`@AFxX \u00e9\\"\x00\x7f') + text[at + 1 :]


def _topics_wrong(rng: random.Random, log: Fields) -> None:
    log["topics"] = rng.choice(([digits(rng, 64)] * 5, [digits(rng, 62)], [digits(rng, 66)], [1], ["0x"], None, "0x"))


_HEX_FIELDS = ("address", "data", "blockHash", "transactionHash")
CHANGES: dict[str, Callable[[random.Random, Fields], None]] = {
    "removed": _with("removed", True),
    "removed is null": _with("removed", None),
    "no removed": _without("removed"),
    "a nested field": _with("extra", {"a": [1, {"b": None}]}),
    "a plain field": _with("extra", "text"),
    "a null field": _with("extra", None),
    "a true field": _with("extra", True),
    "a number": _with("extra", 1.5e3),
    "an escape": _with("extra", 'a"b\\u0041'),
    "beyond ASCII": _with("extra", "\u00e9"),
    "topics": _topics_wrong,
    "another block": lambda rng, log: log.update(blockHash=digits(rng, 64)),
    "another number": lambda rng, log: log.update(blockNumber=hex(rng.randrange(1 << 50))),
    "another index": lambda rng, log: log.update(logIndex=hex(rng.randrange(9))),
    "a huge number": _spoilt("blockNumber", lambda rng, _text: digits(rng, rng.choice((15, 16, 17, 64, 65)))),
    "a capital number": _with("logIndex", "0xA"),
    "no digits": _with("logIndex", "0x"),
    "an odd count": _spoilt("data", lambda _rng, text: text + "0"),
    **{f"no {key}": _without(key) for key in (*_HEX_FIELDS, "topics", "blockNumber", "logIndex")},
    **{f"a wrong {key}": _spoilt(key, _one_wrong) for key in (*_HEX_FIELDS, "blockNumber", "logIndex")},
    **{f"a capital {key}": _spoilt(key, lambda _rng, text: "0x" + text[2:].upper()) for key in _HEX_FIELDS},
    **{f"a short {key}": _spoilt(key, lambda _rng, text: text[:-2]) for key in _HEX_FIELDS},
    **{f"a long {key}": _spoilt(key, lambda _rng, text: text + "00") for key in _HEX_FIELDS},
    **{f"null for {key}": _with(key, None) for key in (*_HEX_FIELDS, "blockNumber", "logIndex")},
}


def doubled(rng: random.Random, text: str) -> str:
    """One member of an object again, right behind itself, perhaps with another value."""
    at = text.index('"data"') if rng.random() < 0.5 else text.index('"address"')
    end = text.find(",", at)
    if end < 0:
        return text
    member = text[at:end]
    if rng.random() < 0.5:
        member = member.replace("a", "\\u0061", 1)  # the same key, written otherwise
    if rng.random() < 0.5:
        member = member.replace('"0x', '"0x00', 1)
    return f"{text[:at]}{text[at:end]},{member}{text[end:]}"


def bytes_broken(rng: random.Random, text: bytes) -> bytes:
    """A byte changed, removed, doubled, or everything behind one cut off or exchanged."""
    at, other = sorted(rng.choices(range(len(text)), k=2))
    match rng.randrange(6):
        case 0:
            return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at : at + 1] + text[at:]
        case 3:
            return text[:at]
        case 4:
            return text[:at] + text[other:]
        case _:
            return text + rng.choice((b" ", b"]", b",", b"\x00", b"null", b"\n"))
