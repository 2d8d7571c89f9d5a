// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../BalanceGuard.sol";
import {ICurvePool} from "../interfaces/ICurve.sol";
import {CurveCall, Step} from "../libraries/Step.sol";

/// @title CurveStep
/// @notice One swap on a pool of Curve.
/// @dev The pool takes its input by an allowance of exactly that amount and pays whoever calls it: the output lies in this
/// contract, and is measured there, because old pools do not say what they paid. No limit is set on it: the profit of the
/// whole plan stands above it.
abstract contract CurveStep is BalanceGuard {
    function _swapCurve(Step memory step, uint256 amountIn) internal {
        _grant(step.tokenIn, step.venue, amountIn);
        _exchange(step, amountIn);
        _requireSpent(step.tokenIn, step.venue);
    }

    function _exchange(Step memory step, uint256 amountIn) private {
        ICurvePool pool = ICurvePool(step.venue);
        CurveCall call = step.curveCall();
        (uint256 indexIn, uint256 indexOut) = (step.indexIn(), step.indexOut());
        if (call == CurveCall.ExchangeUint256) return pool.exchange(indexIn, indexOut, amountIn, 0);

        (int128 narrowIn, int128 narrowOut) = (int128(uint128(indexIn)), int128(uint128(indexOut)));
        if (call == CurveCall.ExchangeInt128) return pool.exchange(narrowIn, narrowOut, amountIn, 0);
        pool.exchange_underlying(narrowIn, narrowOut, amountIn, 0);
    }
}
