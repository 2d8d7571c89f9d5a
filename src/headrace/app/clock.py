"""The system's own clock."""

import time


class SystemClock:
    """`headrace.ports.clock.Clock` on this machine."""

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time())

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        return time.monotonic_ns()
