// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The Vault of Balancer v3, which holds the tokens of all its pools.
interface IBalancerV3Vault {
    enum SwapKind {
        EXACT_IN,
        EXACT_OUT
    }

    struct VaultSwapParams {
        SwapKind kind;
        address pool;
        IERC20 tokenIn;
        IERC20 tokenOut;
        uint256 amountGivenRaw;
        uint256 limitRaw;
        bytes userData;
    }

    /// @notice Opens the accounts, calls its caller with `data`, and requires that every account is level at the end.
    /// @param data Selector and arguments: whatever the caller wants to be called with.
    function unlock(bytes calldata data) external returns (bytes memory result);

    function swap(VaultSwapParams calldata params)
        external
        returns (uint256 amountCalculated, uint256 amountIn, uint256 amountOut);

    /// @notice Credits the caller with what has arrived, at most `amountHint`.
    function settle(IERC20 token, uint256 amountHint) external returns (uint256 credit);

    function sendTo(IERC20 token, address to, uint256 amount) external;
}
