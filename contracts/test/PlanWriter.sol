// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Funding} from "../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../src/libraries/Step.sol";

struct Plan {
    uint8 funding;
    address lender;
    uint128 amountIn;
    uint128 profitMin;
    uint64 deadlineBlock;
    uint16 tipShareBps;
    address[] tokens;
    bytes steps;
}

/// @notice Writes plans byte by byte, as the table of the format has them.
library PlanWriter {
    function begin(Funding funding, address lender, uint256 amountIn, address token0, address token1, address token2)
        internal
        pure
        returns (Plan memory plan)
    {
        plan.funding = uint8(funding);
        plan.lender = lender;
        plan.amountIn = uint128(amountIn);
        plan.deadlineBlock = type(uint64).max;
        plan.tokens = new address[](3);
        (plan.tokens[0], plan.tokens[1], plan.tokens[2]) = (token0, token1, token2);
    }

    function stepV2(Plan memory plan, uint8 indexIn, uint8 indexOut, uint256 feePips, address pair) internal pure {
        plan.steps = abi.encodePacked(plan.steps, StepKind.UniswapV2, indexIn, indexOut, uint24(feePips), pair);
    }

    function stepV3(Plan memory plan, uint8 indexIn, uint8 indexOut, address pool) internal pure {
        plan.steps = abi.encodePacked(plan.steps, StepKind.UniswapV3, indexIn, indexOut, pool);
    }

    function stepBalancer(Plan memory plan, uint8 indexIn, uint8 indexOut, address vault, bytes32 poolId)
        internal
        pure
    {
        plan.steps = abi.encodePacked(plan.steps, StepKind.BalancerV2, indexIn, indexOut, vault, poolId);
    }

    function stepV4(Plan memory plan, uint8 indexIn, uint8 indexOut, address manager, bytes26 terms) internal pure {
        plan.steps = abi.encodePacked(plan.steps, StepKind.UniswapV4, indexIn, indexOut, manager, terms);
    }

    /// @dev What names a pool of Uniswap v4 beside its tokens.
    function termsV4(uint24 feePips, int24 tickSpacing, address hooks) internal pure returns (bytes26) {
        return bytes26(abi.encodePacked(feePips, tickSpacing, hooks));
    }

    /// @param coins The places of the two tokens in the pool.
    function stepCurve(
        Plan memory plan,
        uint8 indexIn,
        uint8 indexOut,
        address pool,
        CurveCall call,
        uint8[2] memory coins
    ) internal pure {
        plan.steps = abi.encodePacked(plan.steps, StepKind.Curve, indexIn, indexOut, pool, call, coins[0], coins[1]);
    }

    function stepBalancerV3(Plan memory plan, uint8 indexIn, uint8 indexOut, address vault, address pool)
        internal
        pure
    {
        plan.steps = abi.encodePacked(plan.steps, StepKind.BalancerV3, indexIn, indexOut, vault, pool);
    }

    function stepSolidly(Plan memory plan, uint8 indexIn, uint8 indexOut, address pair) internal pure {
        plan.steps = abi.encodePacked(plan.steps, StepKind.Solidly, indexIn, indexOut, pair);
    }

    function encode(Plan memory plan) internal pure returns (bytes memory) {
        return abi.encodePacked(
            plan.funding,
            plan.lender,
            plan.amountIn,
            plan.profitMin,
            plan.deadlineBlock,
            plan.tipShareBps,
            uint8(plan.tokens.length),
            _packed(plan.tokens),
            plan.steps
        );
    }

    function _packed(address[] memory tokens) private pure returns (bytes memory packed) {
        for (uint256 i; i < tokens.length; ++i) {
            packed = abi.encodePacked(packed, tokens[i]);
        }
    }
}
