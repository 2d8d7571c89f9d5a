"""Waiting for what nothing announces: it is looked at again and again until a deadline, here and nowhere else.

Where something tells that it has happened (an event, a future, a line of output), tests wait for that instead.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_LOOK_AGAIN_SECONDS = 0.005
_SECONDS_MAX = 20.0
T = TypeVar("T")


async def until(is_so: Callable[[], object], what: str, seconds_max: float = _SECONDS_MAX) -> None:
    """Return as soon as it is so; fail, saying what never came, after `seconds_max`."""
    deadline = time.monotonic() + seconds_max
    while not is_so():
        assert time.monotonic() < deadline, f"never within {seconds_max:g} s: {what}"
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def found(look: Callable[[], T | None], what: str, seconds_max: float = _SECONDS_MAX) -> T:
    """What `look` answers first that is not None; fail, saying what never came, after `seconds_max`. It blocks."""
    deadline = time.monotonic() + seconds_max
    while (answer := look()) is None:
        assert time.monotonic() < deadline, f"never within {seconds_max:g} s: {what}"
        time.sleep(_LOOK_AGAIN_SECONDS)
    return answer
