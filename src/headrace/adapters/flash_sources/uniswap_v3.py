"""Flash loans of one Uniswap v3 pool, at the pool's swap fee rounded up; the pool is locked meanwhile.

Source: v3-core UniswapV3Pool.flash: `fee = FullMath.mulDivRoundingUp(amount, fee, 1e6)`, `lock` modifier.
"""

from headrace.adapters.flash_sources.liquidity import read_balances
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.model.pool import Pool
from headrace.ports.chain import Chain

_PIPS = 1_000_000
_GAS = 45_000  # contracts/README.md


class UniswapV3Flash:
    """One pool as a lender of its two tokens."""

    funding = Funding.UNISWAP_V3_FLASH
    gas = _GAS

    def __init__(self, pool: Pool) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = pool.address
        self._pool = pool
        self._available: dict[Address, int] = {}

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Whether a step trades in the pool."""
        return self._pool.id in pools

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """The pool's fee, rounded up."""
        if amount_units > self._available.get(token, 0):
            return None
        return -(-amount_units * self._pool.fee_pips // _PIPS)

    def why_closed(self, token: Address) -> str:  # noqa: ARG002 - port
        """What would forbid a loan is not read: the rehearsal finds it."""
        return ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read the pool's balances."""
        balances = await read_balances(chain, [(token, self.lender) for token in self._pool.tokens], block)
        self._available = {token: balance for (token, _), balance in balances.items()}
