// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IAaveV3FlashLoanSimpleReceiver, IAaveV3Pool} from "../src/interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "../src/interfaces/IBalancerV2.sol";
import {IUniswapV2Callee, IUniswapV2Pair} from "../src/interfaces/IUniswapV2.sol";
import {BalanceGuard} from "../src/BalanceGuard.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {PlanFunding} from "../src/PlanFunding.sol";
import {ExactInput} from "../src/libraries/ExactInput.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";

interface IRouterV2 {
    function getAmountOut(uint256 amountIn, uint256 reserveIn, uint256 reserveOut) external pure returns (uint256);
}

/// @notice What a plan can not do: lose, overspend, leave an allowance, or believe a venue that lies.
contract ExecutorGuardTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;

    Puppet private puppet;

    function setUp() public override {
        super.setUp();
        puppet = new Puppet();
        puppet.answer(IUniswapV2Pair.getReserves.selector, abi.encode(RESERVE, RESERVE, 0));
    }

    function test_the_minimum_is_met_to_the_wei() public {
        for (uint8 funding; funding <= uint8(type(Funding).max); ++funding) {
            Plan memory plan = _cycle(Funding(funding), _kinds(StepKind.UniswapV2, StepKind.UniswapV3), AMOUNT);
            uint256 state = vm.snapshotState();
            uint256 profit = executor.execute(plan.encode());
            vm.revertToState(state);

            plan.profitMin = uint128(profit + 1);
            vm.expectRevert(abi.encodeWithSelector(BalanceGuard.ProfitBelowMinimum.selector, profit, profit + 1));
            executor.execute(plan.encode());

            plan.profitMin = uint128(profit);
            assertEq(executor.execute(plan.encode()), profit);
            vm.revertToState(state);
        }
    }

    function test_a_loss_reverts_whatever_the_funding() public {
        for (uint8 funding; funding <= uint8(type(Funding).max); ++funding) {
            Plan memory plan = _losing(Funding(funding));
            (int256 profit, uint256 profitMin) = _profitOfFailure(plan.encode());
            assertLt(profit, 0);
            assertGt(profit, -2e18, "fees and slippage, no more");
            assertEq(profitMin, 0);
        }
    }

    function test_own_capital_spends_no_more_than_it_holds() public {
        Plan memory plan = _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), CAPITAL + 1);
        vm.expectRevert(
            abi.encodeWithSelector(PlanFunding.CapitalInsufficient.selector, address(a), CAPITAL + 1, CAPITAL)
        );
        executor.execute(plan.encode());
    }

    function test_the_output_of_a_pair_is_what_the_router_of_uniswap_says() public {
        IRouterV2 router = IRouterV2(
            _deploy(
                "@uniswap/v2-periphery/build/UniswapV2Router02.json", ".bytecode", abi.encode(address(1), address(2))
            )
        );
        Plan memory plan = _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), AMOUNT);
        uint256 bought = router.getAmountOut(AMOUNT, RESERVE, RESERVE * 11 / 10);
        uint256 returned = router.getAmountOut(bought, RESERVE, RESERVE);
        assertEq(executor.execute(plan.encode()), returned - AMOUNT);
    }

    function test_a_pair_is_not_underpaid_by_too_low_a_fee() public {
        Plan memory plan = _empty(Funding.OwnCapital);
        plan.stepV2(0, 1, FEE_PIPS - 1, _venue(StepKind.UniswapV2, a, b));
        _append(plan, StepKind.UniswapV2, 1, 0);
        vm.expectRevert("UniswapV2: K");
        executor.execute(plan.encode());
    }

    function test_a_pool_that_runs_dry_reverts() public {
        address pool = _newPool(a, b, 10000, 1, 1, 1e15);
        deal(address(a), address(executor), type(uint120).max);
        Plan memory plan = _empty(Funding.OwnCapital);
        plan.amountIn = type(uint120).max;
        plan.stepV3(0, 1, pool);
        _append(plan, StepKind.UniswapV3, 1, 0);
        vm.expectPartialRevert(ExactInput.InputNotConsumed.selector);
        executor.execute(plan.encode());
    }

    function test_a_uniswap_v3_loan_is_repaid_whichever_token_comes_first() public {
        for (uint256 isSecond; isSecond < 2; ++isSecond) {
            IERC20 other = _newToken("O");
            while ((address(other) < address(a)) != (isSecond == 1)) other = _newToken("O");
            Plan memory plan = _cycle(Funding.UniswapV3Loan, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), AMOUNT);
            plan.lender = _newPool(a, other, 500, 1, 1, uint128(RESERVE));
            assertGt(executor.execute(plan.encode()), 0);
        }
    }

    function test_a_pool_can_not_lend_for_a_walk_through_itself() public {
        Plan memory plan = _cycle(Funding.UniswapV3Loan, _kinds(StepKind.UniswapV3, StepKind.UniswapV3), AMOUNT);
        plan.lender = _venue(StepKind.UniswapV3, a, b);
        vm.expectRevert(bytes("LOK"));
        executor.execute(plan.encode());
    }

    function test_a_pair_that_pays_nothing_does_not_make_the_executor_pay() public {
        Plan memory plan = _empty(Funding.OwnCapital);
        plan.stepV2(0, 1, FEE_PIPS, address(puppet));
        _append(plan, StepKind.UniswapV3, 1, 0);
        vm.expectRevert(bytes("AS"));
        executor.execute(plan.encode());
    }

    function test_a_flash_swap_that_pays_nothing_does_not_make_the_executor_pay() public {
        Plan memory plan = _empty(Funding.FlashSwap);
        plan.stepV2(0, 1, FEE_PIPS, address(puppet));
        _append(plan, StepKind.UniswapV3, 1, 0);
        bytes memory packed = plan.encode();
        bytes memory call = abi.encodeCall(IUniswapV2Callee.uniswapV2Call, (address(executor), 0, AMOUNT, packed));
        puppet.onCall(IUniswapV2Pair.swap.selector, address(executor), call);
        vm.expectRevert(bytes("AS"));
        executor.execute(packed);
    }

    function test_a_vault_that_leaves_its_allowance_reverts() public {
        puppet.answer(IBalancerV2Vault.swap.selector, abi.encode(AMOUNT));
        Plan memory plan = _empty(Funding.OwnCapital);
        plan.stepBalancer(0, 1, address(puppet), 0);
        _append(plan, StepKind.UniswapV3, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(BalanceGuard.AllowanceLeft.selector, a, puppet, AMOUNT));
        executor.execute(plan.encode());
    }

    function test_a_lender_that_leaves_its_allowance_reverts() public {
        Plan memory plan = _cycle(Funding.AaveV3Loan, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), AMOUNT);
        plan.lender = address(puppet);
        bytes memory packed = plan.encode();
        bytes memory call = abi.encodeCall(
            IAaveV3FlashLoanSimpleReceiver.executeOperation, (address(a), AMOUNT, 1, address(executor), packed)
        );
        puppet.onCall(IAaveV3Pool.flashLoanSimple.selector, address(executor), call);
        vm.expectRevert(abi.encodeWithSelector(BalanceGuard.AllowanceLeft.selector, a, puppet, AMOUNT + 1));
        executor.execute(packed);
    }

    function test_a_lender_that_lends_nothing_and_is_repaid_costs_nothing() public {
        Plan memory plan = _cycle(Funding.BalancerV2Loan, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), AMOUNT);
        plan.lender = address(puppet);
        bytes memory packed = plan.encode();
        bytes memory call = abi.encodeCall(
            IBalancerV2FlashLoanRecipient.receiveFlashLoan,
            (new address[](1), new uint256[](1), new uint256[](1), packed)
        );
        puppet.onCall(IBalancerV2Vault.flashLoan.selector, address(executor), call);
        (int256 profit,) = _profitOfFailure(packed);
        assertLt(profit, 0);
    }

    function _empty(Funding funding) private view returns (Plan memory) {
        return PlanWriter.begin(funding, _lender(funding), AMOUNT, address(a), address(b), address(c));
    }

    /// @dev From a to b and back in the fair pools.
    function _losing(Funding funding) private view returns (Plan memory plan) {
        plan = _empty(funding);
        plan.stepV2(0, 1, FEE_PIPS, _venue(StepKind.UniswapV2, b, a));
        _append(plan, StepKind.UniswapV3, 1, 0);
    }

    function _profitOfFailure(bytes memory packed) private returns (int256 profit, uint256 profitMin) {
        try executor.execute(packed) {
            fail();
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), BalanceGuard.ProfitBelowMinimum.selector);
            assembly ("memory-safe") {
                profit := mload(add(reason, 36))
                profitMin := mload(add(reason, 68))
            }
        }
    }
}
