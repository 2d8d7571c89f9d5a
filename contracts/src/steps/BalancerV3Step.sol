// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {CallbackLock} from "../CallbackLock.sol";
import {IBalancerV3Vault} from "../interfaces/IBalancerV3.sol";
import {Step} from "../libraries/Step.sol";

/// @title BalancerV3Step
/// @notice One swap on a pool of Balancer v3.
/// @dev The Vault calls back when it is unlocked; there the pool swaps, the planned input is paid and the output sent. It
/// sets no limit of its own on the output: the profit of the whole plan stands above it.
abstract contract BalancerV3Step is BalanceGuard, CallbackLock {
    function _swapBalancerV3(Step memory step, uint256 amountIn, address receiver)
        internal
        returns (uint256 amountOut)
    {
        bytes memory data = abi.encode(step, amountIn, receiver);
        _expectCallback(step.venue, BalancerV3Step.balancerV3Callback.selector, keccak256(data));
        bytes memory result =
            IBalancerV3Vault(step.venue).unlock(abi.encodeCall(BalancerV3Step.balancerV3Callback, (data)));
        _requireCalledBack(step.venue);
        return abi.decode(result, (uint256));
    }

    /// @notice For the Vault of a running swap: swaps, pays the planned input, and has the output sent.
    /// @dev Anybody else, any other data and any second call revert.
    function balancerV3Callback(bytes calldata data) external returns (uint256 amountOut) {
        _acceptCallback(data);
        (Step memory step, uint256 amountIn, address receiver) = abi.decode(data, (Step, uint256, address));
        IBalancerV3Vault vault = IBalancerV3Vault(msg.sender);

        (,, amountOut) = vault.swap(
            IBalancerV3Vault.VaultSwapParams({
                kind: IBalancerV3Vault.SwapKind.EXACT_IN,
                pool: step.pool(),
                tokenIn: step.tokenIn,
                tokenOut: step.tokenOut,
                amountGivenRaw: amountIn,
                limitRaw: 0,
                userData: ""
            })
        );
        _pay(step.tokenIn, msg.sender, amountIn);
        vault.settle(step.tokenIn, amountIn);
        vault.sendTo(step.tokenOut, receiver, amountOut);
    }
}
