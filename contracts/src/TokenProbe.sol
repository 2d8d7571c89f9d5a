// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {BalanceGuard} from "./BalanceGuard.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {PlanReader} from "./libraries/PlanReader.sol";
import {PlanFunding} from "./PlanFunding.sol";

/// @title TokenProbe
/// @notice Walks the steps of a plan with whatever it holds, for whoever asks, and tells of everybody who calls it unasked.
/// @dev Never deployed: the code is lent to an empty account for the length of a simulation. It walks with the Executor's own
/// steps and callbacks, so that a token is tried in the way in which it would be traded; what it owns at the end nobody asks.
contract TokenProbe is PlanFunding {
    using PlanReader for bytes;

    /// @notice Somebody called who was not waited for: a token that hands over control in the middle of a transfer.
    event Entered(address caller);

    constructor() BalanceGuard(IWrappedNative(address(0))) {}

    fallback() external {
        emit Entered(msg.sender);
    }

    /// @param plan As the Executor takes it, without need to end where it began.
    function walk(bytes calldata plan) external {
        _guard(plan.token(0));
        _walk(plan, plan.firstStep(), plan.amountIn(), address(this));
    }
}
