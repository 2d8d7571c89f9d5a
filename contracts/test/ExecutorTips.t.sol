// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BalanceGuard} from "../src/BalanceGuard.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../src/libraries/Step.sol";
import {NativeMarket} from "./market/NativeMarket.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";

/// @notice A builder that makes calls while it is paid, and notes which of them were not refused.
contract GreedyBuilder {
    address private immutable executor;
    bytes[] private calls;
    uint256 public made;

    constructor(address newExecutor) {
        executor = newExecutor;
    }

    function onPaid(bytes calldata data) external {
        calls.push(data);
    }

    receive() external payable {
        for (uint256 i; i < calls.length; ++i) {
            (bool isDone,) = executor.call(calls[i]);
            if (isDone) ++made;
        }
    }
}

/// @notice What a builder can be given, and what it can not take.
contract ExecutorTipsTest is NativeMarket {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    uint16 private constant CAP_BPS = 4000;
    address private constant BUILDER = address(0xB1D);
    bytes4 private constant EXCHANGE = bytes4(keccak256("exchange(int128,int128,uint256,uint256)"));

    function setUp() public override {
        super.setUp();
        executor.setTipShareMax(CAP_BPS);
        vm.coinbase(BUILDER);
    }

    function test_a_tip_is_its_share_of_the_profit_in_native_coin() public {
        (uint256 profit, uint256 tip) = (_profitWithoutTip(), _profitWithoutTip() * CAP_BPS / 10_000);
        assertEq(executor.execute(_plan(CAP_BPS, 0)), profit - tip);
        assertEq(BUILDER.balance, tip);
        assertEq(_held(a), CAPITAL + profit - tip);
        assertEq(address(executor).balance, 0, "no more is unwrapped than is tipped");
    }

    function test_a_tip_comes_from_native_coin_first_and_is_no_larger_for_it() public {
        (uint256 profit, uint256 tip) = (_profitWithoutTip(), _profitWithoutTip() * CAP_BPS / 10_000);
        vm.deal(address(executor), tip - 5);
        assertEq(executor.execute(_plan(CAP_BPS, 0)), profit - tip);
        assertEq(BUILDER.balance, tip);
        assertEq(address(executor).balance, 0);
        assertEq(_held(a), CAPITAL + tip - 5 + profit - tip);
    }

    /// @dev Anybody can wrap what lies here, in the midst of a plan too.
    function test_native_coin_wrapped_within_a_plan_is_no_profit() public {
        vm.deal(address(executor), 1_000e18);
        Puppet puppet = new Puppet();
        b.transfer(address(puppet), 2 * AMOUNT);
        puppet.onCall(
            EXCHANGE, address(a), abi.encodeCall(IERC20.transferFrom, (address(executor), address(puppet), AMOUNT))
        );
        puppet.onCall(EXCHANGE, address(b), abi.encodeCall(IERC20.transfer, (address(executor), 2 * AMOUNT)));
        puppet.onCall(EXCHANGE, address(executor), abi.encodeCall(IExecutor.wrapNative, ()));
        Plan memory plan = _empty();
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV2, 1, 0);
        plan.tipShareBps = CAP_BPS;
        uint256 heldBefore = _held(a);
        uint256 kept = executor.execute(plan.encode());
        assertEq(_held(a), heldBefore + kept);
        assertApproxEqAbs(BUILDER.balance, (kept + BUILDER.balance) * CAP_BPS / 10_000, 1, "its share, and no more");
    }

    function test_a_tip_above_the_cap_is_refused() public {
        bytes memory plan = _plan(CAP_BPS + 1, 0);
        bytes memory refusal = abi.encodeWithSelector(IRoles.TipShareTooLarge.selector, CAP_BPS + 1, CAP_BPS);
        vm.expectRevert(refusal);
        executor.execute(plan);

        bytes[] memory plans = new bytes[](1);
        plans[0] = plan;
        assertEq(executor.executeBatch(plans), 0);
        plans[0] = _plan(CAP_BPS, 0);
        assertEq(executor.executeBatch(plans), 1);
        assertGt(BUILDER.balance, 0);
    }

    function test_without_a_cap_nothing_is_tipped() public {
        executor.setTipShareMax(0);
        vm.expectRevert(abi.encodeWithSelector(IRoles.TipShareTooLarge.selector, 1, 0));
        executor.execute(_plan(1, 0));
    }

    function test_the_minimum_is_met_after_the_tip() public {
        uint256 profit = _profitWithoutTip();
        uint256 kept = profit - profit * CAP_BPS / 10_000;
        vm.expectRevert(abi.encodeWithSelector(BalanceGuard.ProfitBelowMinimum.selector, kept, kept + 1));
        executor.execute(_plan(CAP_BPS, kept + 1));
        assertEq(executor.execute(_plan(CAP_BPS, kept)), kept);
    }

    function test_a_loss_tips_nothing() public {
        Plan memory plan = _empty();
        plan.stepV2(0, 1, FEE_PIPS, _venue(StepKind.UniswapV2, b, a));
        _append(plan, StepKind.UniswapV3, 1, 0);
        plan.tipShareBps = CAP_BPS;
        vm.expectCall(BUILDER, "", 0);
        vm.expectPartialRevert(BalanceGuard.ProfitBelowMinimum.selector);
        executor.execute(plan.encode());
    }

    function test_a_profit_in_another_token_is_not_tipped_from() public {
        Plan memory plan = PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(b), address(a), address(c));
        plan.stepV3(0, 1, _venue(StepKind.UniswapV3, b, a));
        plan.stepV2(1, 0, FEE_PIPS, _venue(StepKind.UniswapV2, a, b));
        assertGt(executor.execute(plan.encode()), 0, "lands without a tip");
        plan.tipShareBps = 1;
        vm.expectRevert(abi.encodeWithSelector(IExecutor.TipNotInNative.selector, b));
        executor.execute(plan.encode());
    }

    function test_a_builder_that_reverts_undoes_the_plan() public {
        address refusing = address(new Puppet());
        vm.coinbase(refusing);
        uint256 tip = _profitWithoutTip() * CAP_BPS / 10_000;
        vm.expectRevert(abi.encodeWithSelector(IExecutor.TipRefused.selector, refusing, tip));
        executor.execute(_plan(CAP_BPS, 0));
    }

    function test_a_builder_that_calls_back_may_wrap_and_nothing_else() public {
        GreedyBuilder builder = new GreedyBuilder(address(executor));
        executor.setOperator(address(builder), true);
        executor.setTreasury(address(builder));
        bytes[] memory plans = new bytes[](1);
        plans[0] = _plan(0, 0);
        builder.onPaid(abi.encodeCall(IExecutor.execute, (plans[0])));
        builder.onPaid(abi.encodeCall(IExecutor.executeBatch, (plans)));
        builder.onPaid(abi.encodeCall(IExecutor.executeOfBatch, (plans[0])));
        builder.onPaid(abi.encodeCall(IExecutor.sweep, (a, 1)));
        builder.onPaid(abi.encodeCall(IExecutor.withdraw, (a, address(builder), 1)));
        builder.onPaid(abi.encodeCall(IRoles.setOperator, (BUILDER, true)));
        vm.coinbase(address(builder));
        uint256 kept = executor.execute(_plan(CAP_BPS, 0));
        assertEq(builder.made(), 0);
        assertEq(_held(a), CAPITAL + kept);

        builder.onPaid(abi.encodeCall(IExecutor.wrapNative, ()));
        vm.deal(address(executor), 500e18);
        uint256 heldBefore = _held(a);
        kept = executor.execute(_plan(1, 0));
        assertEq(builder.made(), 1);
        assertEq(_held(a), heldBefore + kept);
    }

    function _profitWithoutTip() private returns (uint256 profit) {
        uint256 state = vm.snapshotState();
        profit = executor.execute(_plan(0, 0));
        vm.revertToState(state);
    }

    function _plan(uint16 tipShareBps, uint256 profitMin) private view returns (bytes memory) {
        Plan memory plan = _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV3), AMOUNT);
        plan.tipShareBps = tipShareBps;
        plan.profitMin = uint128(profitMin);
        return plan.encode();
    }

    function _empty() private view returns (Plan memory) {
        return PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(b), address(c));
    }
}
