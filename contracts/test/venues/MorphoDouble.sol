// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IMorpho, IMorphoFlashLoanCallback} from "../../src/interfaces/IMorpho.sol";

/// @notice Lends what lies in it as the documentation of Morpho Blue says: no fee, taken back by an allowance.
/// @dev A double, because no package carries Morpho's bytecode: by itself it proves nothing about the real one.
contract MorphoDouble is IMorpho {
    using SafeERC20 for IERC20;

    error ZeroAssets();

    function flashLoan(IERC20 token, uint256 assets, bytes calldata data) external {
        if (assets == 0) revert ZeroAssets();
        token.safeTransfer(msg.sender, assets);
        IMorphoFlashLoanCallback(msg.sender).onMorphoFlashLoan(assets, data);
        token.safeTransferFrom(msg.sender, address(this), assets);
    }
}
