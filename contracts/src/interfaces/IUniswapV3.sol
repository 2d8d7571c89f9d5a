// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A pool of Uniswap v3 or of one of its forks.
interface IUniswapV3Pool {
    function token0() external view returns (address);

    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);

    function flash(address recipient, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// @notice What a pool calls on whoever swaps: positive deltas are owed to the pool.
interface IUniswapV3SwapCallback {
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}

/// @notice What a pool calls on whoever takes a flash loan.
interface IUniswapV3FlashCallback {
    function uniswapV3FlashCallback(uint256 fee0, uint256 fee1, bytes calldata data) external;
}
