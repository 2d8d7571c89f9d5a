// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRoles} from "./IRoles.sol";

/// @notice What the operators of an Executor call, what its owner withdraws by, and how it answers.
interface IExecutor is IRoles {
    error ExecuteReentered(address caller);
    error NotItself(address caller);
    error NativeCoinRefused(address sender);
    error DeadlinePassed(uint256 deadlineBlock, uint256 blockNumber);
    error TokenNotListed(address token);
    error TipNotInNative(address token);
    error TipRefused(address builder, uint256 tip);
    error TreasuryIsZero();

    event PlanOfBatchFailed(uint256 index);
    event Swept(address indexed token, address indexed treasury, uint256 amount);
    event Withdrawn(address indexed token, address indexed to, uint256 amount);

    /// @notice Executes a plan, whose bytes `PlanReader` describes. Only operators can.
    /// @return profit What the Executor holds more of the plan's first token than before, at least the plan's minimum.
    function execute(bytes calldata plan) external returns (uint256 profit);

    /// @notice Executes each plan that can be executed, in order, under a guard of its own; one that fails undoes itself
    /// alone. Only operators can.
    /// @dev A plan that burns its gas leaves a 64th of it to those behind it.
    /// @return executed How many were.
    function executeBatch(bytes[] calldata plans) external returns (uint256 executed);

    /// @notice For the Executor itself, while it executes a batch.
    function executeOfBatch(bytes calldata plan) external;

    /// @notice Sends `amount` of `token` to the owner's treasury. Only operators can.
    function sweep(IERC20 token, uint256 amount) external;

    /// @notice Sends `amount` of `token` to `to`. Only the owner can, also while operators are paused.
    function withdraw(IERC20 token, address to, uint256 amount) external;

    /// @notice Wraps all native coin that is here. Anybody can.
    function wrapNative() external;
}
