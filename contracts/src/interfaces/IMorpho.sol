// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Morpho Blue, which lends what lies in it without a fee.
interface IMorpho {
    /// @notice Sends the assets, calls back, and takes them again by an allowance.
    function flashLoan(IERC20 token, uint256 assets, bytes calldata data) external;
}

/// @notice What Morpho calls on whoever borrows.
interface IMorphoFlashLoanCallback {
    function onMorphoFlashLoan(uint256 assets, bytes calldata data) external;
}
