// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBalancerV3Vault} from "../src/interfaces/IBalancerV3.sol";
import {ICurvePool} from "../src/interfaces/ICurve.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {ISolidlyPair} from "../src/interfaces/ISolidly.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../src/interfaces/IUniswapV4.sol";
import {BalanceGuard} from "../src/BalanceGuard.sol";
import {ExactInput} from "../src/libraries/ExactInput.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {CurveCall, Step, StepKind} from "../src/libraries/Step.sol";
import {BalancerV3Step} from "../src/steps/BalancerV3Step.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";
import {BalancerV3VaultDouble} from "./venues/BalancerV3VaultDouble.sol";
import {SolidlyPairDouble} from "./venues/SolidlyPairDouble.sol";

/// @notice Uniswap v4, Curve, Balancer v3 and Solidly when they run dry, take another amount, or lie.
contract ExecutorVenuesTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    int128 private constant OWED = int128(int256(AMOUNT));
    bytes4 private constant EXCHANGE = bytes4(keccak256("exchange(int128,int128,uint256,uint256)"));
    uint160 private constant AFTER_SWAP_AND_ITS_DELTA = 1 << 6 | 1 << 2;
    bytes26 private constant TERMS_V4 = hex"000bb800003c0000000000000000000000000000000000000000";
    address private constant POOL_V3 = address(0xA6);

    Puppet private puppet;

    function setUp() public override {
        super.setUp();
        puppet = new Puppet();
    }

    function test_a_pool_of_v4_that_runs_dry_reverts() public {
        bytes26 terms = _newPoolV4(a, b, 10000, address(0), [uint256(1), 1], 1e15);
        deal(address(a), address(executor), type(uint120).max);
        Plan memory plan = _empty();
        plan.amountIn = type(uint120).max;
        plan.stepV4(0, 1, address(manager), terms);
        _expectFailure(plan, ExactInput.InputNotConsumed.selector);
    }

    /// @dev v4-core's own hook, which keeps 1.23 % of what a swap pays.
    function test_a_hook_that_keeps_a_part_of_the_output_leaves_the_rest_to_be_taken() public {
        bytes memory code =
            vm.parseBytes(_hexAt("@uniswap/v4-core/out/FeeTakingHook.sol/FeeTakingHook.json", ".bytecode.object"));
        address hooks = address(AFTER_SWAP_AND_ITS_DELTA);
        vm.etch(hooks, _create(abi.encodePacked(code, abi.encode(manager))).code);
        Plan memory plan = _empty();
        plan.stepV4(0, 1, address(manager), _newPoolV4(a, b, 3000, hooks, [uint256(11), 10], uint128(RESERVE)));
        _append(plan, StepKind.UniswapV2, 1, 0);
        uint256 profit = executor.execute(plan.encode());
        assertGt(b.balanceOf(hooks), AMOUNT / 100, "the hook took its part");
        uint256 plain = executor.execute(_cycleFrom(StepKind.UniswapV4).encode());
        assertApproxEqRel(plain - profit, b.balanceOf(hooks), 0.05e18);
    }

    function test_a_manager_that_asks_for_more_or_less_is_not_paid() public {
        for (int128 off = -1; off <= 1; off += 2) {
            puppet = new Puppet();
            (Plan memory plan,) = _lyingV4(_deltaV4(a, b, -OWED + off, OWED));
            uint256 asked = uint256(int256(OWED - off));
            vm.expectRevert(abi.encodeWithSelector(ExactInput.InputNotConsumed.selector, puppet, AMOUNT, asked));
            executor.execute(plan.encode());
        }
    }

    function test_a_manager_that_asks_for_the_output_too_is_not_paid() public {
        (Plan memory plan,) = _lyingV4(_deltaV4(a, b, -OWED, -1));
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedIntToUint.selector, -1));
        executor.execute(plan.encode());
    }

    function test_a_manager_that_owes_both_tokens_is_not_paid() public {
        (Plan memory plan,) = _lyingV4(_deltaV4(a, b, OWED, OWED));
        vm.expectRevert(abi.encodeWithSelector(ExactInput.InputNotConsumed.selector, puppet, AMOUNT, 0));
        executor.execute(plan.encode());
    }

    /// @dev The token answers that it moved, and did not.
    function test_an_input_that_does_not_arrive_leaves_the_accounts_open() public {
        vm.mockCall(address(a), abi.encodeCall(IERC20.transfer, (address(manager), AMOUNT)), abi.encode(true));
        _expectWhole(_cycleFrom(StepKind.UniswapV4), bytes4(keccak256("CurrencyNotSettled()")));
        vm.mockCall(address(a), abi.encodeCall(IERC20.transfer, (address(vaultV3), AMOUNT)), abi.encode(true));
        _expectWhole(_cycleFrom(StepKind.BalancerV3), BalancerV3VaultDouble.BalanceNotSettled.selector);
    }

    function test_a_curve_pool_that_takes_less_than_its_allowance_reverts() public {
        Plan memory plan = _empty();
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV3, 1, 0);
        puppet.onCall(EXCHANGE, address(a), _take(AMOUNT - 1));
        vm.expectRevert(abi.encodeWithSelector(BalanceGuard.AllowanceLeft.selector, a, puppet, 1));
        executor.execute(plan.encode());
    }

    function test_a_curve_pool_that_says_more_than_it_pays_is_not_believed() public {
        Plan memory plan = _empty();
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV2, 1, 0);
        b.transfer(address(puppet), 2 * AMOUNT);
        puppet.answer(EXCHANGE, abi.encode(type(uint256).max));
        puppet.onCall(EXCHANGE, address(a), _take(AMOUNT));
        puppet.onCall(EXCHANGE, address(b), abi.encodeCall(IERC20.transfer, (address(executor), 2 * AMOUNT)));
        uint256 profit = executor.execute(plan.encode());
        assertApproxEqRel(profit, AMOUNT, 0.01e18);
        assertEq(b.balanceOf(address(executor)), CAPITAL, "b is untouched");
    }

    function test_a_curve_pool_is_called_as_the_plan_says() public {
        for (uint8 call; call <= uint8(type(CurveCall).max); ++call) {
            Plan memory plan = _empty();
            plan.stepCurve(0, 1, address(puppet), CurveCall(call), [call, 255]);
            _append(plan, StepKind.UniswapV3, 1, 0);
            vm.expectCall(address(puppet), _curveCall(CurveCall(call), call, 255), 1);
            vm.expectRevert(abi.encodeWithSelector(BalanceGuard.AllowanceLeft.selector, a, puppet, AMOUNT));
            executor.execute(plan.encode());
        }
    }

    function test_a_pair_of_solidly_that_promises_too_much_is_stopped_by_its_own_check() public {
        address pair = _venue(StepKind.Solidly, a, b);
        vm.mockCall(pair, abi.encodeCall(ISolidlyPair.getAmountOut, (AMOUNT, a)), abi.encode(AMOUNT * 2));
        Plan memory plan = _cycleFrom(StepKind.Solidly);
        vm.expectPartialRevert(SolidlyPairDouble.K.selector);
        executor.execute(plan.encode());
    }

    function test_a_pair_of_solidly_that_keeps_its_input_costs_nothing() public {
        puppet.answer(ISolidlyPair.getAmountOut.selector, abi.encode(2 * AMOUNT));
        Plan memory plan = _empty();
        plan.stepSolidly(0, 1, address(puppet));
        _append(plan, StepKind.UniswapV2, 1, 0);
        vm.expectRevert("UniswapV2: INSUFFICIENT_INPUT_AMOUNT");
        executor.execute(plan.encode());
    }

    function test_a_venue_can_not_execute_a_plan_within_its_step() public {
        executor.setOperator(address(puppet), true);
        bytes memory inner = _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), 1e18).encode();
        puppet.onCall(EXCHANGE, address(executor), abi.encodeCall(executor.execute, (inner)));
        Plan memory plan = _empty();
        plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
        _append(plan, StepKind.UniswapV3, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IExecutor.ExecuteReentered.selector, puppet));
        executor.execute(plan.encode());
    }

    /// @dev Whatever a venue says, takes within its reach and pays, it costs no more than the guard allows, and nothing
    /// else that the executor holds.
    function testFuzz_a_venue_that_lies_takes_only_what_the_guard_allows(
        uint8 kind,
        int128 said,
        uint96 paid,
        uint96 profitMin
    ) public {
        kind = uint8(bound(kind, uint8(StepKind.UniswapV4), uint8(StepKind.Solidly)));
        Plan memory plan = _lying(StepKind(kind), said, uint256(paid) % (4 * AMOUNT));
        plan.profitMin = profitMin % uint96(4 * AMOUNT);
        uint256 heldBefore = a.balanceOf(address(executor));
        try executor.execute(plan.encode()) returns (uint256 profit) {
            assertGe(profit, plan.profitMin);
            assertEq(a.balanceOf(address(executor)), heldBefore + profit);
        } catch {
            assertEq(a.balanceOf(address(executor)), heldBefore);
        }
        assertEq(b.balanceOf(address(executor)), CAPITAL);
        assertEq(c.balanceOf(address(executor)), CAPITAL);
        assertEq(a.allowance(address(executor), address(puppet)), 0);
    }

    function test_a_venue_that_lies_and_pays_enough_lands() public {
        for (uint8 kind = uint8(StepKind.UniswapV4); kind <= uint8(StepKind.Solidly); ++kind) {
            puppet = new Puppet();
            assertGt(executor.execute(_lying(StepKind(kind), 5, 2 * AMOUNT).encode()), AMOUNT / 2);
        }
    }

    /// @dev A puppet in the first step that says `said` and sends `paid` of b; the second step is of Uniswap v3, so that
    /// the output is measured.
    function _lying(StepKind kind, int128 said, uint256 paid) private returns (Plan memory plan) {
        plan = _empty();
        b.transfer(address(puppet), paid);
        bytes memory pay = abi.encodeCall(IERC20.transfer, (address(executor), paid));
        if (kind == StepKind.UniswapV4) {
            (plan,) = _lyingV4(_deltaV4(a, b, -OWED, said));
            puppet.onCall(IUniswapV4PoolManager.unlock.selector, address(b), pay);
        } else if (kind == StepKind.Curve) {
            plan.stepCurve(0, 1, address(puppet), CurveCall.ExchangeInt128, [0, 1]);
            puppet.answer(EXCHANGE, abi.encode(said));
            puppet.onCall(EXCHANGE, address(a), _take(AMOUNT));
            puppet.onCall(EXCHANGE, address(b), pay);
        } else if (kind == StepKind.BalancerV3) {
            plan.stepBalancerV3(0, 1, address(puppet), POOL_V3);
            puppet.answer(IBalancerV3Vault.swap.selector, abi.encode(said, said, said));
            puppet.answer(IBalancerV3Vault.settle.selector, abi.encode(said));
            _unlockWith(abi.encodeCall(BalancerV3Step.balancerV3Callback, (_dataOf(plan))), said);
            puppet.onCall(IBalancerV3Vault.unlock.selector, address(b), pay);
        } else {
            plan.stepSolidly(0, 1, address(puppet));
            puppet.answer(ISolidlyPair.getAmountOut.selector, abi.encode(said));
            puppet.onCall(ISolidlyPair.swap.selector, address(b), pay);
        }
        if (kind != StepKind.UniswapV4) _append(plan, StepKind.UniswapV3, 1, 0);
    }

    function _lyingV4(int256 delta) private returns (Plan memory plan, bytes memory data) {
        plan = _empty();
        plan.stepV4(0, 1, address(puppet), TERMS_V4);
        data = _dataOf(plan);
        puppet.answer(IUniswapV4PoolManager.swap.selector, abi.encode(delta));
        puppet.answer(IUniswapV4PoolManager.settle.selector, abi.encode(AMOUNT));
        _unlockWith(abi.encodeCall(IUniswapV4UnlockCallback.unlockCallback, (data)), int128(delta));
        _append(plan, StepKind.UniswapV3, 1, 0);
    }

    function _unlockWith(bytes memory callback, int256 said) private {
        puppet.onCall(IUniswapV4PoolManager.unlock.selector, address(executor), callback);
        puppet.answer(IUniswapV4PoolManager.unlock.selector, abi.encode(abi.encode(said)));
    }

    /// @dev What the executor expects back from a puppet that is the only step of the plan yet.
    function _dataOf(Plan memory plan) private view returns (bytes memory) {
        StepKind kind = StepKind(uint8(plan.steps[0]));
        bytes32 terms = kind == StepKind.UniswapV4 ? bytes32(TERMS_V4) : bytes32(bytes20(POOL_V3));
        Step memory step = Step(kind, a, b, address(puppet), terms, 64 + 60 + plan.steps.length);
        return abi.encode(step, AMOUNT, executor);
    }

    function _empty() private view returns (Plan memory) {
        return PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(b), address(c));
    }

    function _cycleFrom(StepKind kind) private view returns (Plan memory) {
        return _cycle(Funding.OwnCapital, _kinds(kind, StepKind.UniswapV2), AMOUNT);
    }

    function _take(uint256 amount) private view returns (bytes memory) {
        return abi.encodeCall(IERC20.transferFrom, (address(executor), address(puppet), amount));
    }

    function _curveCall(CurveCall call, uint256 indexIn, uint256 indexOut) private pure returns (bytes memory) {
        bytes4 selector = call == CurveCall.ExchangeInt128
            ? EXCHANGE
            : call == CurveCall.ExchangeUint256
                ? bytes4(keccak256("exchange(uint256,uint256,uint256,uint256)"))
                : ICurvePool.exchange_underlying.selector;
        return abi.encodeWithSelector(selector, indexIn, indexOut, AMOUNT, 0);
    }

    function _expectFailure(Plan memory plan, bytes4 selector) private {
        _append(plan, StepKind.UniswapV3, 1, 0);
        _expectWhole(plan, selector);
    }

    function _expectWhole(Plan memory plan, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        executor.execute(plan.encode());
    }
}
