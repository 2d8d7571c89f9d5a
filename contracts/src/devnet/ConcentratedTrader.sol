// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice What is called of a pool with ticks, the same in Uniswap v3 and PancakeSwap v3.
interface IConcentratedPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function mint(address recipient, int24 lower, int24 upper, uint128 liquidity, bytes calldata data) external;
    function burn(int24 lower, int24 upper, uint128 liquidity) external;
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 limitX96, bytes calldata data) external;
}

/// @title ConcentratedTrader
/// @notice Mints, burns and swaps in pools of PancakeSwap v3 with its own tokens, for tests on the local chain: anyone may
/// use it, and any contract may call back and be paid.
contract ConcentratedTrader {
    using SafeERC20 for IERC20;

    function mint(IConcentratedPool pool, int24 lower, int24 upper, uint128 liquidity) external {
        pool.mint(address(this), lower, upper, liquidity, "");
    }

    function burn(IConcentratedPool pool, int24 lower, int24 upper, uint128 liquidity) external {
        pool.burn(lower, upper, liquidity);
    }

    function swap(IConcentratedPool pool, bool zeroForOne, int256 amount, uint160 limitX96) external {
        pool.swap(address(this), zeroForOne, amount, limitX96, "");
    }

    function pancakeV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0 > 0 ? uint256(amount0) : 0, amount1 > 0 ? uint256(amount1) : 0);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function _pay(uint256 amount0, uint256 amount1) private {
        IConcentratedPool pool = IConcentratedPool(msg.sender);
        if (amount0 > 0) IERC20(pool.token0()).safeTransfer(msg.sender, amount0);
        if (amount1 > 0) IERC20(pool.token1()).safeTransfer(msg.sender, amount1);
    }
}
