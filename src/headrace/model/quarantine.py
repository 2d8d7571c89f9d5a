"""What stands in the place of a pool's state when the pool cannot be trusted."""

import msgspec

from headrace.model.pool import Pool


class Quarantined(msgspec.Struct, frozen=True):
    """A pool that is kept out of the market until it is read anew, and why."""

    pool: Pool
    reason: str
