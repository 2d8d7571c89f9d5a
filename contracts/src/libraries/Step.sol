// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

enum StepKind {
    None,
    UniswapV2,
    UniswapV3,
    BalancerV2,
    UniswapV4,
    Curve,
    BalancerV3,
    Solidly
}

/// @notice Which of a Curve pool's functions swaps: they differ in the width of their indices and in what these count.
enum CurveCall {
    ExchangeInt128,
    ExchangeUint256,
    ExchangeUnderlying
}

/// @notice One swap of a plan.
/// @dev `venue` is what is called: the pair, the pool, the Vault or the manager. `terms` is what else the plan says of the
/// step, as it stands there, then zeros; the functions below read it. `end` is the offset of the byte after the step.
struct Step {
    StepKind kind;
    IERC20 tokenIn;
    IERC20 tokenOut;
    address venue;
    bytes32 terms;
    uint256 end;
}

using {isZeroForOne, feePips, tickSpacing, hooks, poolId, pool, curveCall, indexIn, indexOut} for Step global;

/// @dev The order of a pair's or a pool's two tokens is the order of their addresses.
function isZeroForOne(Step memory step) pure returns (bool) {
    return address(step.tokenIn) < address(step.tokenOut);
}

/// @dev Of Uniswap v2 and v4.
function feePips(Step memory step) pure returns (uint24) {
    return uint24(bytes3(step.terms));
}

/// @dev Of Uniswap v4.
function tickSpacing(Step memory step) pure returns (int24) {
    return int24(uint24(bytes3(step.terms << 24)));
}

/// @dev Of Uniswap v4.
function hooks(Step memory step) pure returns (address) {
    return address(bytes20(step.terms << 48));
}

/// @dev Of Balancer v2.
function poolId(Step memory step) pure returns (bytes32) {
    return step.terms;
}

/// @dev Of Balancer v3, whose pools live beside the Vault.
function pool(Step memory step) pure returns (address) {
    return address(bytes20(step.terms));
}

/// @dev Of Curve.
function curveCall(Step memory step) pure returns (CurveCall) {
    return CurveCall(uint8(step.terms[0]));
}

/// @dev Of Curve: the place of tokenIn among the coins that the call counts.
function indexIn(Step memory step) pure returns (uint8) {
    return uint8(step.terms[1]);
}

/// @dev Of Curve: the place of tokenOut among the coins that the call counts.
function indexOut(Step memory step) pure returns (uint8) {
    return uint8(step.terms[2]);
}
