"""Ctrl-C while modules load.

An exception that a signal raises can fall into a place where Python ignores it, such as the callback that frees an
import's lock: then the interrupt is lost and the command goes on. So while modules load it is only noted, and raised
when they are there; a second one is raised at once.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold a Ctrl-C until the end of the block; in another thread than the main one, which gets none, do nothing.

    Raises:
        KeyboardInterrupt: there was one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = 0

    def hold(_number: int, _frame: FrameType | None) -> None:
        nonlocal held
        held += 1
        if held > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt
