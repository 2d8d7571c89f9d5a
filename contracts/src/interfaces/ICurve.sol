// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A pool of Curve. The indices of StableSwap pools have 128 bits, those of CryptoSwap pools 256.
/// @dev Old pools return nothing and others the output, so none is read.
interface ICurvePool {
    function exchange(int128 indexIn, int128 indexOut, uint256 amountIn, uint256 amountOutMin) external;

    function exchange(uint256 indexIn, uint256 indexOut, uint256 amountIn, uint256 amountOutMin) external;

    /// @notice Swaps what the pool's coins wrap, or the coins of the pool under a pool.
    function exchange_underlying(int128 indexIn, int128 indexOut, uint256 amountIn, uint256 amountOutMin) external;
}
