// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title ExactApproval
/// @notice Lets a spender take one amount, and makes sure that it took all of it: no allowance outlives its use.
library ExactApproval {
    using SafeERC20 for IERC20;

    error AllowanceLeft(address token, address spender, uint256 allowance);

    function grant(IERC20 token, address spender, uint256 amount) internal {
        token.forceApprove(spender, amount);
    }

    function requireSpent(IERC20 token, address spender) internal view {
        uint256 allowance = token.allowance(address(this), spender);
        if (allowance != 0) revert AllowanceLeft(address(token), spender, allowance);
    }
}
