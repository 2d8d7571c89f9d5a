"""A way through pools."""

import msgspec

from headrace.model.address import Address, PoolId


class Hop(msgspec.Struct, frozen=True):
    """One swap of `token_in` for `token_out` in a pool."""

    pool: PoolId
    token_in: Address
    token_out: Address


class Route(msgspec.Struct, frozen=True):
    """Hops that follow each other; a cycle ends in the token it started with and uses no pool twice."""

    hops: tuple[Hop, ...]

    def __post_init__(self) -> None:
        assert self.hops, "a route has at least one hop"
        for a, b in zip(self.hops, self.hops[1:], strict=False):
            assert a.token_out == b.token_in, f"{a} does not lead to {b}"
        assert len({hop.pool for hop in self.hops}) == len(self.hops), "a pool is used twice"

    @property
    def token_in(self) -> Address:
        """What is spent first."""
        return self.hops[0].token_in

    @property
    def token_out(self) -> Address:
        """What is received last."""
        return self.hops[-1].token_out

    @property
    def pools(self) -> tuple[PoolId, ...]:
        """The pools in order."""
        return tuple(hop.pool for hop in self.hops)

    @property
    def tokens(self) -> tuple[Address, ...]:
        """Every token on the way, in order of first use."""
        return tuple(dict.fromkeys(t for hop in self.hops for t in (hop.token_in, hop.token_out)))
