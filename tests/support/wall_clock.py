"""The machine's own clock behind the port."""

import time


class WallClock:
    def now(self) -> int:
        return int(time.time())

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()
