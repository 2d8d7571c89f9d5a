// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {CallbackLock} from "../CallbackLock.sol";
import {IUniswapV3Pool, IUniswapV3SwapCallback} from "../interfaces/IUniswapV3.sol";
import {ExactInput} from "../libraries/ExactInput.sol";
import {Step} from "../libraries/Step.sol";

/// @title UniswapV3Step
/// @notice One swap on a pool of Uniswap v3 or of one of its forks.
/// @dev The pool sends the output, then calls back for its input.
abstract contract UniswapV3Step is BalanceGuard, CallbackLock {
    using SafeCast for uint256;

    /// @dev The data of a swap that only waits for its payment: the token (20 bytes) and the amount (32 bytes).
    uint256 internal constant PAYMENT_LENGTH = 52;

    function _swapUniswapV3(Step memory step, uint256 amountIn, address receiver) internal returns (uint256 amountOut) {
        return _takeUniswapV3(step, amountIn, receiver, abi.encodePacked(step.tokenIn, amountIn));
    }

    function _takeUniswapV3(Step memory step, uint256 amountIn, address receiver, bytes memory data)
        internal
        returns (uint256 amountOut)
    {
        bool zeroForOne = step.isZeroForOne();
        uint160 limit = ExactInput.sqrtPriceLimit(zeroForOne);
        _expectCallback(step.venue, IUniswapV3SwapCallback.uniswapV3SwapCallback.selector, keccak256(data));
        (int256 amount0, int256 amount1) =
            IUniswapV3Pool(step.venue).swap(receiver, zeroForOne, amountIn.toInt256(), limit, data);
        _requireCalledBack(step.venue);
        return uint256(-(zeroForOne ? amount1 : amount0));
    }

    /// @dev Pays the calling pool what was planned, provided that it asks for exactly that.
    function _payUniswapV3(int256 amount0Delta, int256 amount1Delta, bytes calldata data) internal {
        IERC20 token = IERC20(address(bytes20(data[:20])));
        uint256 amountIn = uint256(bytes32(data[20:PAYMENT_LENGTH]));
        _requireConsumed(amount0Delta, amount1Delta, amountIn);
        _pay(token, msg.sender, amountIn);
    }

    function _requireConsumed(int256 amount0Delta, int256 amount1Delta, uint256 amountIn) internal view {
        ExactInput.requireConsumed(amountIn, amount0Delta > 0 ? amount0Delta : amount1Delta);
    }
}
