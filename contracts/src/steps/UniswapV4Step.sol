// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {CallbackLock} from "../CallbackLock.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../interfaces/IUniswapV4.sol";
import {ExactInput} from "../libraries/ExactInput.sol";
import {Step} from "../libraries/Step.sol";

/// @title UniswapV4Step
/// @notice One swap on a pool of Uniswap v4.
/// @dev The manager calls back when it is unlocked; there the pool swaps, the input is paid and the output taken. A hook
/// can change what is asked and paid: the whole input must be asked for, and the output is what remains to be taken.
abstract contract UniswapV4Step is BalanceGuard, CallbackLock, IUniswapV4UnlockCallback {
    using SafeCast for int256;
    using SafeCast for uint256;

    function _swapUniswapV4(Step memory step, uint256 amountIn, address receiver) internal returns (uint256 amountOut) {
        bytes memory data = abi.encode(step, amountIn, receiver);
        _expectCallback(step.venue, IUniswapV4UnlockCallback.unlockCallback.selector, keccak256(data));
        bytes memory result = IUniswapV4PoolManager(step.venue).unlock(data);
        _requireCalledBack(step.venue);
        return abi.decode(result, (uint256));
    }

    /// @notice For the manager of a running swap: swaps, pays the planned input, and takes the output. For the manager of
    /// a running loan: takes it, walks the plan, and pays it back.
    /// @dev Anybody else, any other data and any second call revert, and so does a pool that asks for another amount. What
    /// a step encodes begins with a zero byte, a plan that borrows with its kind of funding.
    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        _acceptCallback(data);
        if (data[0] != 0) {
            _continueUniswapV4Loan(data);
            return "";
        }
        (Step memory step, uint256 amountIn, address receiver) = abi.decode(data, (Step, uint256, address));
        IUniswapV4PoolManager manager = IUniswapV4PoolManager(msg.sender);

        uint256 amountOut = _swapWhole(manager, step, amountIn);
        manager.sync(step.tokenIn);
        _pay(step.tokenIn, msg.sender, amountIn);
        manager.settle();
        manager.take(step.tokenOut, receiver, amountOut);
        return abi.encode(amountOut);
    }

    function _continueUniswapV4Loan(bytes calldata plan) internal virtual;

    function _swapWhole(IUniswapV4PoolManager manager, Step memory step, uint256 amountIn)
        private
        returns (uint256 amountOut)
    {
        bool zeroForOne = step.isZeroForOne();
        IUniswapV4PoolManager.PoolKey memory key = IUniswapV4PoolManager.PoolKey({
            currency0: zeroForOne ? step.tokenIn : step.tokenOut,
            currency1: zeroForOne ? step.tokenOut : step.tokenIn,
            fee: step.feePips(),
            tickSpacing: step.tickSpacing(),
            hooks: step.hooks()
        });
        IUniswapV4PoolManager.SwapParams memory params = IUniswapV4PoolManager.SwapParams({
            zeroForOne: zeroForOne,
            amountSpecified: -amountIn.toInt256(),
            sqrtPriceLimitX96: ExactInput.sqrtPriceLimit(zeroForOne)
        });

        int256 delta = manager.swap(key, params, "");
        (int256 delta0, int256 delta1) = (delta >> 128, int256(int128(delta)));
        ExactInput.requireConsumed(amountIn, -(zeroForOne ? delta0 : delta1));
        return (zeroForOne ? delta1 : delta0).toUint256();
    }
}
