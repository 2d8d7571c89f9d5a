import os
import signal
import threading

import pytest

from headrace.app.cli.interrupts import interrupts_held


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def loaded_with(interrupts: int) -> list[str]:
    """What was loaded; with more than one interrupt, up to the second."""
    loaded: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        load(loaded, interrupts)
    return loaded


def load(loaded: list[str], interrupts: int) -> None:
    with interrupts_held():
        for part in range(interrupts):
            interrupt()
            loaded.append(f"part {part}")
        loaded.append("all")


def test_an_interrupt_waits_until_everything_is_loaded_and_a_second_one_does_not() -> None:
    assert loaded_with(1) == ["part 0", "all"]
    assert loaded_with(2) == ["part 0"]


def test_afterwards_interrupts_are_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_held():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_gets_no_signals_and_holds_none() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
