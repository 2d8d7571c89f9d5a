// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Funding, PlanReader} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

/// @notice Every funding with every mix of two and three steps.
/// @dev The manager of Uniswap v4, unlocked twice.
error AlreadyUnlocked();

contract ExecutorLandsTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    uint256 private constant PROFIT_MIN = 5e18;
    uint256 private constant KINDS = uint256(type(StepKind).max);

    function test_own_capital_lands_over_every_mix() public {
        _landEveryMix(Funding.OwnCapital);
    }

    function test_a_flash_swap_lands_over_every_mix() public {
        _landEveryMix(Funding.FlashSwap);
    }

    function test_a_balancer_loan_lands_over_every_mix() public {
        _landEveryMix(Funding.BalancerV2Loan);
    }

    function test_a_uniswap_v3_loan_lands_over_every_mix() public {
        _landEveryMix(Funding.UniswapV3Loan);
    }

    function test_an_aave_loan_lands_over_every_mix() public {
        _landEveryMix(Funding.AaveV3Loan);
    }

    function test_a_balancer_v3_loan_lands_over_every_mix() public {
        _landEveryMix(Funding.BalancerV3Loan);
    }

    function test_a_uniswap_v4_loan_lands_over_every_mix() public {
        _landEveryMix(Funding.UniswapV4Loan);
    }

    function test_a_loan_of_morpho_lands_over_every_mix() public {
        _landEveryMix(Funding.MorphoLoan);
    }

    function test_a_loan_of_erc3156_lands_over_every_mix() public {
        _landEveryMix(Funding.Erc3156Loan);
    }

    function test_a_borrowing_executor_needs_no_capital() public {
        executor.withdraw(a, address(this), CAPITAL);
        for (uint8 funding = 1; funding <= uint8(type(Funding).max); ++funding) {
            StepKind[] memory kinds = _kinds(StepKind.UniswapV2, StepKind.UniswapV3, StepKind.UniswapV2);
            executor.execute(_cycle(Funding(funding), kinds, AMOUNT).encode());
        }
        assertGt(a.balanceOf(address(executor)), 8 * PROFIT_MIN);
    }

    function _landEveryMix(Funding funding) private {
        for (uint256 mix; mix < KINDS * (1 + KINDS) * KINDS; ++mix) {
            uint256 state = vm.snapshotState();
            _landOrRefuse(funding, _mix(mix));
            vm.revertToState(state);
        }
    }

    /// @dev 49 mixes of two steps, then 343 of three.
    function _mix(uint256 mix) private pure returns (StepKind[] memory) {
        if (mix < KINDS * KINDS) return _kinds(_kind(mix / KINDS), _kind(mix));
        mix -= KINDS * KINDS;
        return _kinds(_kind(mix / KINDS / KINDS), _kind(mix / KINDS), _kind(mix));
    }

    function _kind(uint256 digit) private pure returns (StepKind) {
        return StepKind(digit % KINDS + 1);
    }

    function _landOrRefuse(Funding funding, StepKind[] memory kinds) private {
        Plan memory plan = _cycle(funding, kinds, AMOUNT);
        plan.profitMin = uint128(PROFIT_MIN);
        bytes memory packed = plan.encode();

        if (funding == Funding.FlashSwap && kinds[0] > StepKind.UniswapV3) {
            vm.expectRevert(abi.encodeWithSelector(PlanReader.FlashSwapUnsupported.selector, kinds[0]));
            executor.execute(packed);
        } else if (funding == Funding.UniswapV4Loan && _has(kinds, StepKind.UniswapV4)) {
            vm.expectRevert(AlreadyUnlocked.selector);
            executor.execute(packed);
        } else if (funding == Funding.BalancerV2Loan && _has(kinds, StepKind.BalancerV2)) {
            vm.expectRevert("BAL#400");
            executor.execute(packed);
        } else {
            uint256 profit = executor.execute(packed);
            assertGe(profit, PROFIT_MIN);
            assertEq(a.balanceOf(address(executor)), CAPITAL + profit, "the profit is the difference of balances");
        }

        assertGe(a.balanceOf(address(executor)), CAPITAL);
        assertEq(b.balanceOf(address(executor)), CAPITAL, "b is untouched");
        assertEq(c.balanceOf(address(executor)), CAPITAL, "c is untouched");
        _assertNoAllowances();
    }

    function _has(StepKind[] memory kinds, StepKind kind) private pure returns (bool) {
        for (uint256 i; i < kinds.length; ++i) {
            if (kinds[i] == kind) return true;
        }
        return false;
    }
}
