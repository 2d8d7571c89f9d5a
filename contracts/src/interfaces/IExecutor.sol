// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice What the owner and the operators of an Executor call, and how it answers.
interface IExecutor {
    error OwnerIsZero();
    error NotOwner(address caller);
    error NotOperator(address caller);
    error ExecuteReentered(address caller);
    error DeadlinePassed(uint256 deadlineBlock, uint256 blockNumber);
    error ProfitBelowMinimum(int256 profit, uint256 profitMin);

    event OperatorSet(address indexed operator, bool isOperator);
    event Withdrawn(address indexed token, address indexed to, uint256 amount);

    function owner() external view returns (address);

    function isOperator(address account) external view returns (bool);

    /// @notice Appoints or dismisses an operator. Only the owner can.
    function setOperator(address operator, bool newIsOperator) external;

    /// @notice Sends `amount` of `token` to `to`. Only the owner can.
    function withdraw(IERC20 token, address to, uint256 amount) external;

    /// @notice Executes a plan, whose bytes `PlanReader` describes. Only operators can.
    /// @return profit What the Executor holds more of the plan's first token than before, at least the plan's minimum.
    function execute(bytes calldata plan) external returns (uint256 profit);
}
