// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {CallbackLock} from "../CallbackLock.sol";
import {IUniswapV2Callee, IUniswapV2Pair} from "../interfaces/IUniswapV2.sol";
import {PlanReader} from "../libraries/PlanReader.sol";
import {Step} from "../libraries/Step.sol";

/// @title UniswapV2Step
/// @notice One swap on a pair of Uniswap v2 or of one of its forks.
/// @dev The pair wants its input before it is called, and checks that its constant product did not fall. The output is
/// computed from the reserves and the fee of the plan: a plan with too low a fee reverts in the pair.
abstract contract UniswapV2Step is BalanceGuard, CallbackLock {
    /// @param holder Where the input lies: in this contract, or already in the pair.
    function _swapUniswapV2(Step memory step, uint256 amountIn, address holder, address receiver)
        internal
        returns (uint256 amountOut)
    {
        amountOut = _quoteUniswapV2(step, amountIn);
        if (holder == address(this)) _pay(step.tokenIn, step.venue, amountIn);
        (uint256 amount0Out, uint256 amount1Out) = _amountsOut(step, amountOut);
        IUniswapV2Pair(step.venue).swap(amount0Out, amount1Out, receiver, "");
    }

    /// @dev Takes the output before the pair has its input: the pair calls back with `data`.
    function _flashUniswapV2(Step memory step, uint256 amountIn, bytes calldata data) internal {
        (uint256 amount0Out, uint256 amount1Out) = _amountsOut(step, _quoteUniswapV2(step, amountIn));
        _expectCallback(step.venue, IUniswapV2Callee.uniswapV2Call.selector, keccak256(data));
        IUniswapV2Pair(step.venue).swap(amount0Out, amount1Out, address(this), data);
        _requireCalledBack(step.venue);
    }

    /// @dev Rounds down, as the pair does. Unchecked, since a pair refuses an output that overflow has made too large.
    function _quoteUniswapV2(Step memory step, uint256 amountIn) private view returns (uint256 amountOut) {
        (uint256 reserve0, uint256 reserve1,) = IUniswapV2Pair(step.venue).getReserves();
        (uint256 reserveIn, uint256 reserveOut) = step.isZeroForOne() ? (reserve0, reserve1) : (reserve1, reserve0);
        unchecked {
            uint256 amountInNet = amountIn * (PlanReader.PIPS - step.feePips());
            return amountInNet * reserveOut / (reserveIn * PlanReader.PIPS + amountInNet);
        }
    }

    function _amountsOut(Step memory step, uint256 amountOut) private pure returns (uint256 amount0, uint256 amount1) {
        return step.isZeroForOne() ? (uint256(0), amountOut) : (amountOut, uint256(0));
    }
}
