// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice Called and paid as a volatile pair of Solidly is: it counts what lies in it and checks its product. Its fee
/// stays in the pair: it proves nothing about real pairs.
contract SolidlyPairDouble {
    using SafeERC20 for IERC20;

    error K(uint256 product, uint256 productMin);

    uint256 private constant BPS = 10_000;
    uint256 private constant FEE_BPS = 30;

    IERC20 public immutable token0;
    IERC20 public immutable token1;
    uint256 public reserve0;
    uint256 public reserve1;

    constructor(IERC20 tokenA, IERC20 tokenB) {
        (token0, token1) = address(tokenA) < address(tokenB) ? (tokenA, tokenB) : (tokenB, tokenA);
    }

    function sync() public {
        (reserve0, reserve1) = (token0.balanceOf(address(this)), token1.balanceOf(address(this)));
    }

    function getAmountOut(uint256 amountIn, IERC20 tokenIn) external view returns (uint256) {
        (uint256 reserveIn, uint256 reserveOut) = tokenIn == token0 ? (reserve0, reserve1) : (reserve1, reserve0);
        uint256 amountInNet = amountIn - amountIn * FEE_BPS / BPS;
        return amountInNet * reserveOut / (reserveIn + amountInNet);
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata) external {
        if (amount0Out > 0) token0.safeTransfer(to, amount0Out);
        if (amount1Out > 0) token1.safeTransfer(to, amount1Out);
        uint256 product = _net(token0, reserve0 - amount0Out) * _net(token1, reserve1 - amount1Out);
        if (product < reserve0 * reserve1) revert K(product, reserve0 * reserve1);
        sync();
    }

    /// @dev The balance less the fee on what came in.
    function _net(IERC20 token, uint256 rest) private view returns (uint256) {
        uint256 balance = token.balanceOf(address(this));
        return balance > rest ? balance - (balance - rest) * FEE_BPS / BPS : balance;
    }
}
