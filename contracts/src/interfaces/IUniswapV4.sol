// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The manager of Uniswap v4, which holds the tokens of all its pools.
interface IUniswapV4PoolManager {
    /// @dev Names a pool; the currencies ascend by address.
    struct PoolKey {
        IERC20 currency0;
        IERC20 currency1;
        uint24 fee;
        int24 tickSpacing;
        address hooks;
    }

    /// @dev A negative amount is an exact input.
    struct SwapParams {
        bool zeroForOne;
        int256 amountSpecified;
        uint160 sqrtPriceLimitX96;
    }

    /// @notice Opens the accounts, calls back, and requires that every account is level at the end.
    function unlock(bytes calldata data) external returns (bytes memory);

    /// @return delta Two numbers of 128 bits, currency0's the higher: negative is owed by the caller.
    function swap(PoolKey calldata key, SwapParams calldata params, bytes calldata hookData)
        external
        returns (int256 delta);

    /// @notice Notes the manager's balance of a token, before it is paid.
    function sync(IERC20 currency) external;

    /// @notice Credits the caller with what has arrived since.
    function settle() external payable returns (uint256 paid);

    function take(IERC20 currency, address to, uint256 amount) external;
}

/// @notice What the manager calls on whoever unlocks it.
interface IUniswapV4UnlockCallback {
    function unlockCallback(bytes calldata data) external returns (bytes memory);
}
