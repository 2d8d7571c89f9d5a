"""Amplification over time: pools move it along a line, so that nobody can trade against a jump.

Source: StablePoolAmplification.sol of balancer-v2-monorepo, StablePool.sol of balancer-v3-monorepo.
"""

import msgspec


class Ramp(msgspec.Struct, frozen=True):
    """Amplification in thousandths: on a line between two moments in Unix seconds, constant after it."""

    start: int
    end: int
    starts_at: int = 0
    ends_at: int = 0

    def flaw(self, least: int, end: int) -> tuple[str, str] | None:
        """The field that is wrong and why: a value below `least` or not below `end`, a line that leads back."""
        for name, value in (("start", self.start), ("end", self.end)):
            if not least <= value < end:
                return name, f"{value} is not from {least} to {end - 1}"
        if not (self.starts_at < self.ends_at or self.starts_at == self.ends_at == 0):
            return "ends_at", f"{self.ends_at} is not behind starts_at, {self.starts_at}"
        return None

    def value(self, timestamp: int) -> int:
        """Amplification in a block of that time, rounded towards the start, as the contract does."""
        if timestamp >= self.ends_at:
            return self.end
        gone, all_of_it = timestamp - self.starts_at, self.ends_at - self.starts_at
        if self.end > self.start:
            return self.start + (self.end - self.start) * gone // all_of_it
        return self.start - (self.start - self.end) * gone // all_of_it
