"""What names a v4 pool: two currencies, a fee, a tick spacing and a hook contract; their hash is the pool's id.

The PoolManager stores no key, it only hashes the one that each caller brings. So a key, wherever it came from, is
proven by its hash, and nothing else about it has to be trusted.

A hook's address says what it is called for: its low 14 bits are flags. One that is called around a swap can add or
remove liquidity, trade, change the fee or take part of the amounts before or after us, and no log of the pool tells
beforehand; its pools are refused. All other flags leave a swap as the pool's own code computes it.

Source: Uniswap v4 core 1.0.2, types/PoolKey.sol, types/PoolId.sol, libraries/Hooks.sol, libraries/LPFeeLibrary.sol.
"""

from collections.abc import Sequence

import msgspec

from headrace.adapters.protocols.words import address_of, signed
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.executor_step import UniswapV4Step

NATIVE = ZERO_ADDRESS  # the native currency, which v4 takes as it is
DYNAMIC_FEE = 0x800000  # in place of a fee: the hook sets it
TICK_SPACING_MAX = 32_767
KEY_WORDS = 5
_SWAP_FLAGS = {
    1 << 7: "BEFORE_SWAP",
    1 << 6: "AFTER_SWAP",
    1 << 3: "BEFORE_SWAP_RETURNS_DELTA",
    1 << 2: "AFTER_SWAP_RETURNS_DELTA",
}


class PoolKey(msgspec.Struct, frozen=True):
    """A pool's key.

    Attributes:
        currency0: the lower address; the zero address is the native currency.
        currency1: the higher address.
        fee_pips: the liquidity providers' fee in millionths, or `DYNAMIC_FEE`.
        tick_spacing: between usable ticks.
        hooks: the hook contract, or the zero address.
    """

    currency0: Address
    currency1: Address
    fee_pips: int
    tick_spacing: int
    hooks: Address = ZERO_ADDRESS

    @property
    def id(self) -> PoolId:
        """keccak256 of its ABI encoding."""
        step = UniswapV4Step(self.currency0, self.currency1, ZERO_ADDRESS, self.fee_pips, self.tick_spacing, self.hooks)
        return step.pool_id


def key_of_words(words: Sequence[int]) -> PoolKey:
    """The key of five ABI words.

    Raises:
        ValueError: a word is no address, or a fee or spacing that the ABI's types do not hold.
    """
    currency0, currency1, fee, spacing, hooks = words
    if fee >> 24 or not -(1 << 23) <= signed(spacing) < 1 << 23:
        raise ValueError(f"fee {fee} or spacing {signed(spacing)} does not fit 24 bits")
    return PoolKey(address_of(currency0), address_of(currency1), fee, signed(spacing), address_of(hooks))


def tradable(pool: PoolId, key: PoolKey) -> PoolKey:
    """The key itself, if it is the pool's and its pool is one that this protocol quotes.

    Raises:
        MalformedPoolError: the id is another key's, the manager would not take the key, the fee is dynamic (a hook sets
            it without a log), or the hook takes part in swaps.
    """
    if int(key.currency0, 16) >= int(key.currency1, 16):
        raise MalformedPoolError(pool, "tokens", "they are not two addresses in ascending order")
    if not 1 <= key.tick_spacing <= TICK_SPACING_MAX:
        raise MalformedPoolError(pool, "tick_spacing", f"{key.tick_spacing} is not between 1 and {TICK_SPACING_MAX}")
    if key.id != pool:
        raise MalformedPoolError(pool, "id", f"the key given for it is that of {key.id}")
    if key.fee_pips == DYNAMIC_FEE:
        raise MalformedPoolError(pool, "fee_pips", "it is dynamic: the hook changes it without a log")
    if key.fee_pips > FEE_DENOMINATOR:
        raise MalformedPoolError(pool, "fee_pips", f"{key.fee_pips} pips is more than there is")
    flags = [name for flag, name in _SWAP_FLAGS.items() if int(key.hooks, 16) & flag]
    if flags:
        why = f"{key.hooks} takes part in swaps ({', '.join(flags)}): it may trade or move liquidity before we do"
        raise MalformedPoolError(pool, "hooks", why)
    return key
