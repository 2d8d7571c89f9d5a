// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {PlanReader} from "./libraries/PlanReader.sol";
import {Step, StepKind} from "./libraries/Step.sol";
import {BalancerV2Step} from "./steps/BalancerV2Step.sol";
import {BalancerV3Step} from "./steps/BalancerV3Step.sol";
import {CurveStep} from "./steps/CurveStep.sol";
import {SolidlyStep} from "./steps/SolidlyStep.sol";
import {UniswapV2Step} from "./steps/UniswapV2Step.sol";
import {UniswapV3Step} from "./steps/UniswapV3Step.sol";
import {UniswapV4Step} from "./steps/UniswapV4Step.sol";

/// @title StepWalker
/// @notice Walks the steps of a plan: the output of one is the whole input of the next.
/// @dev What arrives here is measured by balances, never believed, so a lying pool or a token that takes a fee cannot make
/// a later step spend what this contract held before. What goes from pool to pair needs no such care: the pair counts. Nor
/// does the last output, which the guard measures.
abstract contract StepWalker is
    UniswapV2Step,
    UniswapV3Step,
    UniswapV4Step,
    BalancerV2Step,
    BalancerV3Step,
    CurveStep,
    SolidlyStep
{
    using PlanReader for bytes;

    /// @param step The first step to walk.
    /// @param amount The input of that step.
    /// @param holder Where that input lies: in this contract, or already in the step's pair.
    function _walk(bytes calldata plan, Step memory step, uint256 amount, address holder) internal {
        while (step.end < plan.length) {
            Step memory next = plan.stepAfter(step);
            address receiver = _receiverFor(step, next);
            amount =
                receiver == address(this) ? _swapMeasured(step, amount, holder) : _swap(step, amount, holder, receiver);
            (step, holder) = (next, receiver);
        }
        _swap(step, amount, holder, address(this));
    }

    /// @dev Where the output of a step goes: straight into the next step's pair, which saves a transfer, if that step is
    /// of Uniswap v2 or Solidly, else here. A pool of Curve pays whoever calls it.
    function _receiverFor(Step memory step, Step memory next) internal view returns (address) {
        bool isPairNext = next.kind == StepKind.UniswapV2 || next.kind == StepKind.Solidly;
        return isPairNext && step.kind != StepKind.Curve ? next.venue : address(this);
    }

    function _swapMeasured(Step memory step, uint256 amountIn, address holder) private returns (uint256 amountOut) {
        uint256 heldBefore = _guard(step.tokenOut);
        _swap(step, amountIn, holder, address(this));
        return step.tokenOut.balanceOf(address(this)) - heldBefore;
    }

    /// @return amountOut What the venue says; zero of a pool of Curve, which may not say it.
    function _swap(Step memory step, uint256 amountIn, address holder, address receiver)
        private
        returns (uint256 amountOut)
    {
        if (step.kind == StepKind.UniswapV2) return _swapUniswapV2(step, amountIn, holder, receiver);
        if (step.kind == StepKind.UniswapV3) return _swapUniswapV3(step, amountIn, receiver);
        if (step.kind == StepKind.UniswapV4) return _swapUniswapV4(step, amountIn, receiver);
        if (step.kind == StepKind.BalancerV2) return _swapBalancerV2(step, amountIn, receiver);
        if (step.kind == StepKind.BalancerV3) return _swapBalancerV3(step, amountIn, receiver);
        if (step.kind == StepKind.Solidly) return _swapSolidly(step, amountIn, holder, receiver);
        _swapCurve(step, amountIn);
    }
}
