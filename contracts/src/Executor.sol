// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExecutor} from "./interfaces/IExecutor.sol";
import {Header, PlanReader} from "./libraries/PlanReader.sol";
import {PlanFunding} from "./PlanFunding.sol";

/// @title Executor
/// @notice Walks a plan, a cycle of swaps that starts and ends in one token, atomically: it ends with at least the planned
/// profit, or nothing happened.
///
/// The owner, set once at construction, appoints and dismisses operators and withdraws any token to anywhere. It cannot
/// execute plans unless it appoints itself.
///
/// Operators execute plans, and nothing else. A plan can spend no more than its `amountIn` of its first token and then
/// what each step brought in; it cannot end with less of its first token than it began with, or take from the rest of what
/// this contract holds. An operator can give away the profit of a trade, not the capital.
///
/// Everybody else can do nothing: the callbacks of pools and lenders are open only while a plan waits for them.
///
/// No allowance outlives a plan. Native coin is refused.
contract Executor is IExecutor, PlanFunding {
    using PlanReader for bytes;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    address public immutable owner;
    mapping(address => bool) public isOperator;

    bool private transient executing;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    constructor(address newOwner) {
        if (newOwner == address(0)) revert OwnerIsZero();
        owner = newOwner;
    }

    /// @inheritdoc IExecutor
    function setOperator(address operator, bool newIsOperator) external onlyOwner {
        isOperator[operator] = newIsOperator;
        emit OperatorSet(operator, newIsOperator);
    }

    /// @inheritdoc IExecutor
    function withdraw(IERC20 token, address to, uint256 amount) external onlyOwner {
        emit Withdrawn(address(token), to, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc IExecutor
    function execute(bytes calldata plan) external returns (uint256 profit) {
        if (!isOperator[msg.sender]) revert NotOperator(msg.sender);
        if (executing) revert ExecuteReentered(msg.sender);
        executing = true;

        Header memory header = plan.validate();
        if (block.number > header.deadlineBlock) revert DeadlinePassed(header.deadlineBlock, block.number);

        uint256 heldBefore = header.token.balanceOf(address(this));
        _fund(plan, header, heldBefore);
        profit = _requireProfit(header.token.balanceOf(address(this)), heldBefore, header.profitMin);

        executing = false;
    }

    function _requireProfit(uint256 heldAfter, uint256 heldBefore, uint256 profitMin) private pure returns (uint256) {
        if (heldAfter < heldBefore + profitMin) {
            revert ProfitBelowMinimum(heldAfter.toInt256() - heldBefore.toInt256(), profitMin);
        }
        return heldAfter - heldBefore;
    }
}
