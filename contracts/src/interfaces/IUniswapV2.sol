// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A pair of Uniswap v2 or of one of its forks.
interface IUniswapV2Pair {
    function getReserves() external view returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast);

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

/// @notice What a pair calls on the receiver of a flash swap.
interface IUniswapV2Callee {
    function uniswapV2Call(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}
