// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {BalanceGuard} from "./BalanceGuard.sol";
import {IExecutor} from "./interfaces/IExecutor.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {Header, PlanReader} from "./libraries/PlanReader.sol";
import {PlanFunding} from "./PlanFunding.sol";
import {Roles} from "./Roles.sol";

/// @title Executor
/// @notice Walks a plan, a cycle of swaps that starts and ends in one token, atomically: it ends with at least the planned
/// profit, or nothing happened.
///
/// For every call by anybody but the owner, with any calldata, whatever pools, hooks, tokens off the list and builders do:
/// what this contract holds of native coin and its wrapper together, and of every token on the owner's list, is not less
/// at the end, but for what the owner's treasury received in that call; no allowance is left; roles, lists and pause are
/// as before (the guardian may pause). So a stolen operator key can give away opportunities, not what is held.
///
/// The profit is counted in one listed token. Of what is measured beyond the planned minimum a share can be tipped to the
/// block's builder, up to the owner's cap. Each account has an Executor of its own.
/// @dev Why that holds stands in `BalanceGuard`.
contract Executor is IExecutor, Roles, PlanFunding {
    using PlanReader for bytes;
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;

    bool private transient executing;

    /// @dev Whoever is called meanwhile, an operator too, finds everything but the callbacks closed.
    modifier alone() {
        if (executing) revert ExecuteReentered(msg.sender);
        executing = true;
        _;
        executing = false;
    }

    constructor(address newOwner, IWrappedNative newWrappedNative) Roles(newOwner) BalanceGuard(newWrappedNative) {}

    /// @dev Native coin comes from unwrapping alone.
    receive() external payable {
        if (msg.sender != address(wrappedNative)) revert NativeCoinRefused(msg.sender);
    }

    /// @inheritdoc IExecutor
    function execute(bytes calldata plan) external alone returns (uint256 profit) {
        return _execute(plan, _authorise());
    }

    /// @inheritdoc IExecutor
    function executeBatch(bytes[] calldata plans) external alone returns (uint256 executed) {
        _authorise();
        for (uint256 i; i < plans.length; ++i) {
            if (LowLevelCall.callNoReturn(address(this), abi.encodeCall(this.executeOfBatch, (plans[i])))) ++executed;
            else emit PlanOfBatchFailed(i);
        }
    }

    /// @inheritdoc IExecutor
    function executeOfBatch(bytes calldata plan) external {
        if (msg.sender != address(this)) revert NotItself(msg.sender);
        _execute(plan, _tipShareMaxBps());
    }

    /// @inheritdoc IExecutor
    function sweep(IERC20 token, uint256 amount) external alone {
        _authorise();
        if (treasury == address(0)) revert TreasuryIsZero();
        emit Swept(address(token), treasury, amount);
        token.safeTransfer(treasury, amount);
    }

    /// @inheritdoc IExecutor
    function withdraw(IERC20 token, address to, uint256 amount) external onlyOwner {
        emit Withdrawn(address(token), to, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc IExecutor
    function wrapNative() external {
        wrappedNative.deposit{value: address(this).balance}();
    }

    function _execute(bytes calldata plan, uint256 tipShareMaxBps_) private returns (uint256 profit) {
        Header memory header = plan.validate();
        if (block.number > header.deadlineBlock) revert DeadlinePassed(header.deadlineBlock, block.number);
        if (header.tipShareBps > tipShareMaxBps_) revert TipShareTooLarge(header.tipShareBps, tipShareMaxBps_);
        _requireListed(header.token);

        uint256 balance = _guard(header.token);
        _fund(plan, header, balance);
        if (header.tipShareBps != 0) _tip(header);

        profit = _requireGain(header.token, header.profitMin);
        for (uint256 i = 1; i < header.tokenCount; ++i) {
            _requireKept(plan.token(i));
        }
    }

    /// @dev A share of the profit measured so far; the minimum is asked for after it. Native coin that is wrapped on the way
    /// is no profit.
    function _tip(Header memory header) private {
        if (address(header.token) != address(wrappedNative)) revert TipNotInNative(address(header.token));
        uint256 tip = _gainSoFar(header.token) * header.tipShareBps / BPS;
        if (tip == 0) return;

        if (address(this).balance < tip) wrappedNative.withdraw(tip - address(this).balance);
        if (!LowLevelCall.callNoReturn(block.coinbase, tip, "")) revert TipRefused(block.coinbase, tip);
    }

    /// @dev Wrapped native coin is always on the list.
    function _requireListed(IERC20 token) internal view virtual {
        if (address(token) != address(wrappedNative) && !isListed[token]) revert TokenNotListed(address(token));
    }
}
