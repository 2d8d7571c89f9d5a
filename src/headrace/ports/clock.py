"""Time, so that a run can be replayed."""

from typing import Protocol


class Clock(Protocol):
    """Wall time and monotonic time."""

    def now(self) -> int:
        """Unix seconds."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        ...
