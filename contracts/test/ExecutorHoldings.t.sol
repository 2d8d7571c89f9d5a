// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../src/BalanceGuard.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../src/libraries/Step.sol";
import {NativeMarket} from "./market/NativeMarket.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";

/// @notice What lies in an Executor: the list, the treasury, native coin, and tokens that a plan only passes through.
contract ExecutorHoldingsTest is NativeMarket {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    address private constant TREASURY = address(0x7EA);
    bytes4 private constant EXCHANGE = bytes4(keccak256("exchange(int128,int128,uint256,uint256)"));

    function test_profit_is_counted_in_a_listed_token_alone() public {
        bytes memory plan = _fromB().encode();
        _list(b, false);
        vm.expectRevert(abi.encodeWithSelector(IExecutor.TokenNotListed.selector, b));
        executor.execute(plan);
        _list(b, true);
        assertGt(executor.execute(plan), 0);
    }

    function test_the_wrapper_is_always_on_the_list() public {
        _list(a, false);
        assertGt(executor.execute(_cycle(Funding.OwnCapital, _v2v3(), AMOUNT).encode()), 0);
    }

    function test_a_token_off_the_list_is_passed_through_and_kept() public {
        _list(b, false);
        assertGt(executor.execute(_cycle(Funding.OwnCapital, _v2v3(), AMOUNT).encode()), 0);
        assertEq(b.balanceOf(address(executor)), CAPITAL);
    }

    /// @dev In place of paying, the venue wraps the native coin that lies here, so that the next step spends it.
    function test_native_coin_wrapped_in_place_of_an_output_is_missed_at_the_end() public {
        vm.deal(address(executor), AMOUNT);
        (Plan memory plan, Puppet puppet) = _throughWrapper();
        puppet.onCall(EXCHANGE, address(executor), abi.encodeCall(IExecutor.wrapNative, ()));
        vm.expectRevert(abi.encodeWithSelector(BalanceGuard.BalanceFell.selector, a, CAPITAL + AMOUNT, CAPITAL));
        executor.execute(plan.encode());
    }

    function test_the_same_plan_lands_where_the_venue_pays() public {
        (Plan memory plan, Puppet puppet) = _throughWrapper();
        a.transfer(address(puppet), AMOUNT);
        puppet.onCall(EXCHANGE, address(a), abi.encodeCall(IERC20.transfer, (address(executor), AMOUNT)));
        assertGt(executor.execute(plan.encode()), 0);
        assertEq(_held(a), CAPITAL);
    }

    function test_an_operator_sweeps_to_the_treasury_alone() public {
        vm.expectRevert(IExecutor.TreasuryIsZero.selector);
        executor.sweep(b, 1);

        executor.setTreasury(TREASURY);
        vm.expectEmit(address(executor));
        emit IExecutor.Swept(address(b), TREASURY, 7);
        executor.sweep(b, 7);
        assertEq(b.balanceOf(TREASURY), 7);
        assertEq(b.balanceOf(address(executor)), CAPITAL - 7);
    }

    function testFuzz_nobody_else_sweeps(address caller) public {
        vm.assume(caller != address(this));
        executor.setTreasury(caller);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOperator.selector, caller));
        vm.prank(caller);
        executor.sweep(b, 1);
    }

    function test_nothing_is_swept_within_a_plan() public {
        Puppet puppet = new Puppet();
        executor.setOperator(address(puppet), true);
        executor.setTreasury(address(puppet));
        puppet.onCall(EXCHANGE, address(executor), abi.encodeCall(IExecutor.sweep, (c, CAPITAL)));
        Plan memory plan = _empty(a, b);
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV3, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IExecutor.ExecuteReentered.selector, puppet));
        executor.execute(plan.encode());
    }

    function testFuzz_native_coin_comes_from_the_wrapper_alone(address sender, uint96 amount) public {
        vm.assume(sender != address(a));
        vm.deal(sender, amount);
        vm.prank(sender);
        (bool isAccepted, bytes memory reason) = address(executor).call{value: amount}("");
        assertFalse(isAccepted);
        assertEq(reason, abi.encodeWithSelector(IExecutor.NativeCoinRefused.selector, sender));
    }

    /// @dev Native coin that was forced in, which no contract can refuse.
    function testFuzz_anybody_wraps_native_coin(address caller, uint96 amount) public {
        vm.deal(address(executor), amount);
        vm.prank(caller);
        executor.wrapNative();
        assertEq(address(executor).balance, 0);
        assertEq(a.balanceOf(address(executor)), CAPITAL + amount);
    }

    /// @dev A plan that names the Executor as its own venue finds none of the functions that it calls of venues.
    function test_the_executor_is_no_venue_of_its_own() public {
        for (uint8 kind = 1; kind <= uint8(type(StepKind).max); ++kind) {
            Plan memory plan = _empty(a, b);
            bytes memory terms = new bytes([0, 0, 0, 32, 26, 3, 20, 0][kind]);
            bytes memory fee = kind == 1 ? bytes(hex"000bb8") : bytes("");
            plan.steps = abi.encodePacked(kind, uint8(0), uint8(1), fee, executor, terms);
            _append(plan, StepKind.UniswapV3, 1, 0);
            vm.expectRevert();
            executor.execute(plan.encode());
        }
        for (uint8 funding = uint8(Funding.BalancerV2Loan); funding <= uint8(type(Funding).max); ++funding) {
            Plan memory plan = _cycle(Funding(funding), _v2v3(), AMOUNT);
            plan.lender = address(executor);
            vm.expectRevert();
            executor.execute(plan.encode());
        }
    }

    /// @dev b for a in the puppet, which takes its input and is yet to be told what it pays; then a for b, richly.
    function _throughWrapper() private returns (Plan memory plan, Puppet puppet) {
        puppet = new Puppet();
        plan = _empty(b, a);
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        plan.stepV2(1, 0, FEE_PIPS, _venue(StepKind.UniswapV2, a, b));
        plan.stepV3(0, 1, _venue(StepKind.UniswapV3, b, a));
        plan.stepV3(1, 0, _venue(StepKind.UniswapV3, a, b));
        puppet.onCall(
            EXCHANGE, address(b), abi.encodeCall(IERC20.transferFrom, (address(executor), address(puppet), AMOUNT))
        );
    }

    function _fromB() private view returns (Plan memory plan) {
        plan = _empty(b, a);
        plan.stepV3(0, 1, _venue(StepKind.UniswapV3, b, a));
        plan.stepV2(1, 0, FEE_PIPS, _venue(StepKind.UniswapV2, a, b));
    }

    function _empty(IERC20 first, IERC20 second) private view returns (Plan memory) {
        return PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(first), address(second), address(c));
    }

    function _v2v3() private pure returns (StepKind[] memory) {
        return _kinds(StepKind.UniswapV2, StepKind.UniswapV3);
    }

    function _list(IERC20 token, bool isListed) private {
        IERC20[] memory tokens = new IERC20[](1);
        tokens[0] = token;
        executor.setListed(tokens, isListed);
    }
}
