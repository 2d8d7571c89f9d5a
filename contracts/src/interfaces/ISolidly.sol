// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A pair of Solidly or of one of its forks, volatile or stable.
interface ISolidlyPair {
    /// @notice What the pair gives for an input, by its reserves and its fee.
    function getAmountOut(uint256 amountIn, IERC20 tokenIn) external view returns (uint256);

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}
