// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {ISolidlyPair} from "../interfaces/ISolidly.sol";
import {Step} from "../libraries/Step.sol";

/// @title SolidlyStep
/// @notice One swap on a pair of Solidly or of one of its forks, volatile or stable.
/// @dev The pair wants its input before it is called, and checks that its invariant did not fall. Curve and fee are its
/// own, so it is asked for the output, by its reserves: what already lies in the pair does not change the answer.
abstract contract SolidlyStep is BalanceGuard {
    /// @param holder Where the input lies: in this contract, or already in the pair.
    function _swapSolidly(Step memory step, uint256 amountIn, address holder, address receiver)
        internal
        returns (uint256 amountOut)
    {
        ISolidlyPair pair = ISolidlyPair(step.venue);
        amountOut = pair.getAmountOut(amountIn, step.tokenIn);
        if (holder == address(this)) _pay(step.tokenIn, step.venue, amountIn);
        (uint256 amount0Out, uint256 amount1Out) =
            step.isZeroForOne() ? (uint256(0), amountOut) : (amountOut, uint256(0));
        pair.swap(amount0Out, amount1Out, receiver, "");
    }
}
