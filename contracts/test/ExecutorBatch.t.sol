// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../src/libraries/Step.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";

contract GasBurner {
    fallback() external {
        while (true) {}
    }
}

/// @notice Plans in one call, each under a guard of its own.
contract ExecutorBatchTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    bytes4 private constant EXCHANGE = bytes4(keccak256("exchange(int128,int128,uint256,uint256)"));

    function test_a_plan_that_fails_undoes_itself_alone() public {
        uint256 state = vm.snapshotState();
        uint256 expected = executor.execute(_winning()) + executor.execute(_winning());
        vm.revertToState(state);

        vm.expectEmit(address(executor));
        emit IExecutor.PlanOfBatchFailed(1);
        assertEq(executor.executeBatch(_batch(_winning(), _losing(), _winning())), 2);
        assertEq(a.balanceOf(address(executor)), CAPITAL + expected);
        assertEq(b.balanceOf(address(executor)), CAPITAL);
    }

    function test_a_loss_is_not_hidden_by_the_gain_of_another_plan() public {
        uint256 state = vm.snapshotState();
        uint256 gain = executor.execute(_winning());
        assertGt(gain, 2e18, "more than the other plan loses");
        vm.revertToState(state);
        assertEq(executor.executeBatch(_batch(_winning(), _losing(), "")), 1);
        assertEq(a.balanceOf(address(executor)), CAPITAL + gain);
        vm.revertToState(state);
        assertEq(executor.executeBatch(_batch(_losing(), _winning(), "")), 1);
        assertEq(a.balanceOf(address(executor)), CAPITAL + gain);
    }

    function test_a_batch_of_failures_changes_nothing() public {
        assertEq(executor.executeBatch(_batch(_losing(), _losing(), "")), 0);
        assertEq(executor.executeBatch(new bytes[](0)), 0);
        assertEq(a.balanceOf(address(executor)), CAPITAL);
    }

    function test_a_plan_that_burns_its_gas_leaves_some_to_those_behind_it() public {
        Plan memory plan = _empty();
        plan.stepCurve(0, 1, address(new GasBurner()), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV3, 1, 0);
        assertEq(executor.executeBatch{gas: 60_000_000}(_batch(plan.encode(), _winning(), "")), 1);
    }

    function testFuzz_a_plan_of_a_batch_is_taken_from_itself_alone(address caller) public {
        vm.assume(caller != address(executor));
        executor.setOperator(address(this), true);
        bytes memory plan = _winning();
        vm.expectRevert(abi.encodeWithSelector(IExecutor.NotItself.selector, caller));
        vm.prank(caller);
        executor.executeOfBatch(plan);
    }

    function testFuzz_only_operators_execute_batches(address caller) public {
        vm.assume(caller != address(this));
        bytes[] memory plans = _batch(_winning(), "", "");
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOperator.selector, caller));
        vm.prank(caller);
        executor.executeBatch(plans);
    }

    /// @dev The venue is an operator itself, and passes on how it was refused; the batch then lands without the plan.
    function test_a_batch_is_not_entered_again_from_a_step() public {
        Puppet puppet = new Puppet();
        executor.setOperator(address(puppet), true);
        bytes[3] memory calls = [
            abi.encodeCall(IExecutor.execute, (_winning())),
            abi.encodeCall(IExecutor.executeBatch, (_batch(_winning(), "", ""))),
            abi.encodeCall(IExecutor.executeOfBatch, (_winning()))
        ];
        for (uint256 i; i < calls.length; ++i) {
            puppet.onCall(EXCHANGE, address(executor), calls[i]);
            Plan memory plan = _empty();
            plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
            _append(plan, StepKind.UniswapV3, 1, 0);
            bytes memory packed = plan.encode();
            vm.expectPartialRevert(i == 2 ? IExecutor.NotItself.selector : IExecutor.ExecuteReentered.selector);
            executor.execute(packed);
            assertEq(executor.executeBatch(_batch(packed, "", "")), 0);
            puppet = new Puppet();
            executor.setOperator(address(puppet), true);
        }
    }

    function test_operators_stay_apart_from_a_batch_that_ended() public {
        executor.executeBatch(_batch(_losing(), _winning(), ""));
        assertGt(executor.execute(_winning()), 0);
        assertEq(executor.executeBatch(_batch(_winning(), "", "")), 1);
    }

    function _batch(bytes memory first, bytes memory second, bytes memory third)
        private
        pure
        returns (bytes[] memory plans)
    {
        plans = new bytes[](third.length != 0 ? 3 : second.length != 0 ? 2 : 1);
        plans[0] = first;
        if (plans.length > 1) plans[1] = second;
        if (plans.length > 2) plans[2] = third;
    }

    function _winning() private view returns (bytes memory) {
        return _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV3), AMOUNT).encode();
    }

    /// @dev From a to b and back in the fair pools: fees and slippage are lost.
    function _losing() private view returns (bytes memory) {
        Plan memory plan = _empty();
        plan.stepV2(0, 1, FEE_PIPS, _venue(StepKind.UniswapV2, b, a));
        _append(plan, StepKind.UniswapV3, 1, 0);
        return plan.encode();
    }

    function _empty() private view returns (Plan memory) {
        return PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(b), address(c));
    }
}
