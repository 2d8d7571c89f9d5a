// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {IBalancerV2Vault} from "../interfaces/IBalancerV2.sol";
import {Step} from "../libraries/Step.sol";

/// @title BalancerV2Step
/// @notice One swap on a pool of Balancer v2.
/// @dev The Vault takes its input by an allowance of exactly that amount. It sets no limit of its own on the output and no
/// deadline: the profit and the deadline of the whole plan stand above both.
abstract contract BalancerV2Step is BalanceGuard {
    function _swapBalancerV2(Step memory step, uint256 amountIn, address receiver)
        internal
        returns (uint256 amountOut)
    {
        IBalancerV2Vault.SingleSwap memory singleSwap = IBalancerV2Vault.SingleSwap({
            poolId: step.poolId(),
            kind: IBalancerV2Vault.SwapKind.GIVEN_IN,
            assetIn: address(step.tokenIn),
            assetOut: address(step.tokenOut),
            amount: amountIn,
            userData: ""
        });
        IBalancerV2Vault.FundManagement memory funds = IBalancerV2Vault.FundManagement({
            sender: address(this), fromInternalBalance: false, recipient: payable(receiver), toInternalBalance: false
        });

        _grant(step.tokenIn, step.venue, amountIn);
        amountOut = IBalancerV2Vault(step.venue).swap(singleSwap, funds, 0, block.timestamp);
        _requireSpent(step.tokenIn, step.venue);
    }
}
