// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Funding} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

/// @notice Whatever is executed, either nothing happens or the plan's profit is made.
contract ExecutorFuzzTest is Market {
    using PlanWriter for Plan;

    uint8 private constant KINDS = uint8(type(StepKind).max);
    uint8 private constant FUNDINGS = uint8(type(Funding).max) + 1;

    struct Choice {
        uint8 funding;
        uint8[3] kinds;
        bool hasThreeSteps;
        uint128 amountIn;
        uint96 profitMin;
    }

    function testFuzz_a_plan_reverts_or_makes_its_profit(Choice memory choice) public {
        Plan memory plan = _plan(choice);
        try executor.execute(plan.encode()) returns (uint256 profit) {
            assertGe(profit, plan.profitMin);
            assertEq(a.balanceOf(address(executor)), CAPITAL + profit);
        } catch {
            assertEq(a.balanceOf(address(executor)), CAPITAL);
        }
        assertEq(b.balanceOf(address(executor)), CAPITAL);
        assertEq(c.balanceOf(address(executor)), CAPITAL);
        _assertNoAllowances();
    }

    /// @dev Amounts that the pools can bear, no minimum: the counterpart to the test above, which mostly reverts.
    function testFuzz_a_moderate_amount_lands(Choice memory choice) public {
        choice.amountIn = uint128(bound(choice.amountIn, 1e15, CAPITAL));
        choice.profitMin = 0;
        choice.kinds[0] = choice.kinds[0] % 2;
        Funding funding = Funding(choice.funding % FUNDINGS);
        if (funding == Funding.BalancerV2Loan || funding == Funding.UniswapV4Loan) {
            choice.kinds[1] = choice.kinds[1] % 2;
            choice.kinds[2] = choice.kinds[2] % 2;
        }
        uint256 profit = executor.execute(_plan(choice).encode());
        assertEq(a.balanceOf(address(executor)), CAPITAL + profit);
    }

    function testFuzz_random_bytes_move_nothing(bytes calldata packed) public {
        _executeAndExpectNoLoss(packed);
    }

    /// @dev A plan that would land, with one byte changed: it may still land, but nothing is lost.
    function testFuzz_a_changed_byte_loses_nothing(Choice memory choice, uint256 position, bytes1 difference) public {
        choice.amountIn = uint128(bound(choice.amountIn, 1e15, CAPITAL));
        bytes memory packed = _plan(choice).encode();
        packed[bound(position, 0, packed.length - 1)] ^= difference;
        _executeAndExpectNoLoss(packed);
    }

    function _executeAndExpectNoLoss(bytes memory packed) private {
        try executor.execute(packed) {} catch {}
        assertGe(a.balanceOf(address(executor)), CAPITAL);
        assertGe(b.balanceOf(address(executor)), CAPITAL);
        assertGe(c.balanceOf(address(executor)), CAPITAL);
        _assertNoAllowances();
    }

    function _plan(Choice memory choice) private view returns (Plan memory plan) {
        StepKind[] memory kinds = new StepKind[](choice.hasThreeSteps ? 3 : 2);
        for (uint256 i; i < kinds.length; ++i) {
            kinds[i] = StepKind(choice.kinds[i] % KINDS + 1);
        }
        plan = _cycle(Funding(choice.funding % FUNDINGS), kinds, choice.amountIn);
        plan.profitMin = choice.profitMin;
    }
}
