// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title ExactInput
/// @notice A swap on Uniswap v3 or v4 that must take its whole input, at any price.
/// @dev The price limit is the extreme one, so a pool that runs dry takes less than the whole input: this reverts.
library ExactInput {
    error InputNotConsumed(address pool, uint256 amountIn, uint256 amountAsked);

    uint160 private constant SQRT_PRICE_MIN = 4295128739;
    uint160 private constant SQRT_PRICE_MAX = 1461446703485210103287273052203988822378723970342;

    function sqrtPriceLimit(bool zeroForOne) internal pure returns (uint160) {
        return zeroForOne ? SQRT_PRICE_MIN + 1 : SQRT_PRICE_MAX - 1;
    }

    /// @param owed What the calling pool asks for; a pool that owes asks for nothing.
    function requireConsumed(uint256 amountIn, int256 owed) internal view {
        uint256 amountAsked = owed > 0 ? uint256(owed) : 0;
        if (amountAsked != amountIn) revert InputNotConsumed(msg.sender, amountIn, amountAsked);
    }
}
