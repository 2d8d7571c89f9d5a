// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {Borrowing} from "../src/Borrowing.sol";
import {CallbackLock} from "../src/CallbackLock.sol";
import {IMorpho, IMorphoFlashLoanCallback} from "../src/interfaces/IMorpho.sol";
import {IBalancerV3Vault} from "../src/interfaces/IBalancerV3.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IAaveV3FlashLoanSimpleReceiver, IAaveV3Pool} from "../src/interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "../src/interfaces/IBalancerV2.sol";
import {IUniswapV2Callee, IUniswapV2Pair} from "../src/interfaces/IUniswapV2.sol";
import {IUniswapV3FlashCallback, IUniswapV3Pool, IUniswapV3SwapCallback} from "../src/interfaces/IUniswapV3.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../src/interfaces/IUniswapV4.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {Step, StepKind} from "../src/libraries/Step.sol";
import {PlanFunding} from "../src/PlanFunding.sol";
import {BalancerV3Step} from "../src/steps/BalancerV3Step.sol";
import {ExactInput} from "../src/libraries/ExactInput.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Puppet} from "./Puppet.sol";

/// @notice The fourteen callbacks, three of them by PancakeSwap's name for another, called by whom, when and with what they
/// must not be. The manager of Uniswap v4 calls one function for steps (5) and for loans (11).
contract ExecutorCallbacksTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    int128 private constant OWED = int128(int256(AMOUNT));
    bytes26 private constant TERMS_V4 = hex"000bb800003c0000000000000000000000000000000000000000";
    address private constant POOL_V3 = address(0xA6);
    uint256 private constant CALLBACKS = 14;

    Puppet private puppet;

    function setUp() public override {
        super.setUp();
        puppet = new Puppet();
        puppet.answer(IUniswapV2Pair.getReserves.selector, abi.encode(RESERVE, RESERVE, 0));
        puppet.answer(IUniswapV3Pool.token0.selector, abi.encode(a));
        puppet.answer(IUniswapV3Pool.swap.selector, abi.encode(AMOUNT, AMOUNT));
        puppet.answer(IUniswapV4PoolManager.unlock.selector, abi.encode(abi.encode(2 * AMOUNT)));
        puppet.answer(IUniswapV4PoolManager.swap.selector, abi.encode(_deltaV4(a, b, -OWED, 2 * OWED)));
        puppet.answer(IUniswapV4PoolManager.settle.selector, abi.encode(AMOUNT));
        puppet.answer(IBalancerV3Vault.swap.selector, abi.encode(2 * AMOUNT, AMOUNT, 2 * AMOUNT));
        puppet.answer(IBalancerV3Vault.settle.selector, abi.encode(AMOUNT));
        puppet.answer(IERC3156FlashLender.flashLoan.selector, abi.encode(true));
    }

    function testFuzz_a_stranger_is_refused_in_every_callback(address stranger, bytes calldata data) public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            _expectNotExpected(stranger);
            vm.prank(stranger);
            _call(_callback(callback, data));
        }
    }

    function test_the_right_pool_is_refused_outside_a_plan() public {
        bytes memory payment = abi.encodePacked(a, AMOUNT);
        address pool = _venue(StepKind.UniswapV3, a, b);
        _expectNotExpected(pool);
        vm.prank(pool);
        IUniswapV3SwapCallback(address(executor)).uniswapV3SwapCallback(int256(AMOUNT), 0, payment);
    }

    function test_every_callback_is_refused_after_its_plan() public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            Plan memory plan = _cycle(_funding(callback), _kinds(_firstKind(callback), StepKind.UniswapV3), AMOUNT);
            address caller = _isLoan(callback) ? plan.lender : _venue(_firstKind(callback), a, b);
            bytes memory packed = plan.encode();
            executor.execute(packed);

            _expectNotExpected(caller);
            vm.prank(caller);
            _call(_callback(callback, _dataOf(callback, packed)));
        }
    }

    function test_the_right_pool_with_other_data_is_refused() public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            uint256 state = vm.snapshotState();
            bytes memory packed = _puppetPlan(callback);
            bytes memory other = abi.encodePacked(_dataOf(callback, packed));
            other[36] ^= 0x01;
            puppet.onCall(_trigger(callback), address(executor), _callback(callback, other));
            _expectNotExpected(address(puppet));
            executor.execute(packed);
            vm.revertToState(state);
        }
    }

    function test_a_stranger_with_the_right_data_at_the_right_time_is_refused() public {
        bytes4 signal = bytes4(keccak256("now()"));
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            uint256 state = vm.snapshotState();
            Puppet stranger = new Puppet();
            bytes memory packed = _puppetPlan(callback);
            stranger.onCall(signal, address(executor), _callback(callback, _dataOf(callback, packed)));
            puppet.onCall(_trigger(callback), address(stranger), abi.encodePacked(signal));
            _expectNotExpected(address(stranger));
            executor.execute(packed);
            vm.revertToState(state);
        }
    }

    function test_the_right_pool_in_another_callback_is_refused() public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            for (uint256 wrong; wrong < CALLBACKS; ++wrong) {
                if (_entry(wrong) == _entry(callback)) continue;
                uint256 state = vm.snapshotState();
                bytes memory packed = _puppetPlan(callback);
                puppet.onCall(_trigger(callback), address(executor), _callback(wrong, _dataOf(callback, packed)));
                _expectNotExpected(address(puppet));
                executor.execute(packed);
                vm.revertToState(state);
            }
        }
    }

    function test_a_second_call_is_refused() public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            uint256 state = vm.snapshotState();
            bytes memory packed = _puppetPlan(callback);
            _deliver(callback);
            puppet.onCall(_trigger(callback), address(executor), _callback(callback, _dataOf(callback, packed)));
            puppet.onCall(_trigger(callback), address(executor), _callback(callback, _dataOf(callback, packed)));
            _expectNotExpected(address(puppet));
            executor.execute(packed);
            vm.revertToState(state);
        }
    }

    /// @dev The counterpart to what is refused: a venue that calls back once, with what it was given, is paid.
    function test_the_right_venue_with_the_right_data_is_paid_once() public {
        for (uint256 callback = 5; callback < CALLBACKS; ++callback) {
            uint256 state = vm.snapshotState();
            bytes memory packed = _puppetPlan(callback);
            _deliver(callback);
            _lend(callback);
            puppet.onCall(_trigger(callback), address(executor), _callback(callback, _dataOf(callback, packed)));
            _collect(callback);
            assertGt(executor.execute(packed), 5e18);
            assertEq(a.balanceOf(address(puppet)), AMOUNT);
            vm.revertToState(state);
        }
    }

    function test_a_pool_that_does_not_call_back_is_refused() public {
        for (uint256 callback; callback < CALLBACKS; ++callback) {
            bytes memory packed = _puppetPlan(callback);
            vm.expectRevert(abi.encodeWithSelector(CallbackLock.CallbackMissing.selector, puppet));
            executor.execute(packed);
        }
    }

    function test_a_pool_is_paid_what_was_planned_and_no_more() public {
        bytes memory packed = _puppetSwap();
        bytes memory payment = abi.encodePacked(a, AMOUNT);
        bytes memory greedy =
            abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (int256(AMOUNT + 1), 0, payment));
        puppet.onCall(IUniswapV3Pool.swap.selector, address(executor), greedy);
        vm.expectRevert(abi.encodeWithSelector(ExactInput.InputNotConsumed.selector, puppet, AMOUNT, AMOUNT + 1));
        executor.execute(packed);
    }

    function test_a_pool_of_pancakeswap_is_paid_by_its_own_name() public {
        bytes memory packed = _puppetSwap();
        bytes memory payment = abi.encodePacked(a, AMOUNT);
        b.transfer(address(puppet), 2 * AMOUNT);
        bytes memory delivery = abi.encodeCall(IERC20.transfer, (address(executor), 2 * AMOUNT));
        puppet.onCall(IUniswapV3Pool.swap.selector, address(b), delivery);
        bytes memory call = abi.encodeCall(PlanFunding.pancakeV3SwapCallback, (int256(AMOUNT), 0, payment));
        puppet.onCall(IUniswapV3Pool.swap.selector, address(executor), call);
        assertGt(executor.execute(packed), AMOUNT / 2);
        assertEq(a.balanceOf(address(puppet)), AMOUNT);
    }

    function test_a_payment_is_made_once() public {
        bytes memory packed = _puppetSwap();
        bytes memory payment = abi.encodePacked(a, AMOUNT);
        bytes memory call = abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (int256(AMOUNT), 0, payment));
        puppet.onCall(IUniswapV3Pool.swap.selector, address(executor), call);
        puppet.onCall(IUniswapV3Pool.swap.selector, address(executor), call);
        _expectNotExpected(address(puppet));
        executor.execute(packed);
    }

    function test_a_payment_in_another_token_is_refused() public {
        bytes memory packed = _puppetSwap();
        bytes memory payment = abi.encodePacked(c, AMOUNT);
        bytes memory call = abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (int256(AMOUNT), 0, payment));
        puppet.onCall(IUniswapV3Pool.swap.selector, address(executor), call);
        _expectNotExpected(address(puppet));
        executor.execute(packed);
    }

    function test_a_plan_can_not_be_executed_within_a_plan() public {
        executor.setOperator(address(puppet), true);
        bytes memory packed = _puppetPlan(0);
        bytes memory inner = _cycle(Funding.OwnCapital, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), 1e18).encode();
        puppet.onCall(_trigger(0), address(executor), abi.encodeCall(executor.execute, (inner)));
        vm.expectRevert(abi.encodeWithSelector(IExecutor.ExecuteReentered.selector, puppet));
        executor.execute(packed);
    }

    /// @dev Anybody can have Aave call the executor back: not while no plan waits for it.
    function test_a_loan_that_a_stranger_takes_for_the_executor_is_refused() public {
        bytes memory packed =
            _cycle(Funding.AaveV3Loan, _kinds(StepKind.UniswapV2, StepKind.UniswapV2), AMOUNT).encode();
        _expectNotExpected(aavePool);
        IAaveV3Pool(aavePool).flashLoanSimple(address(executor), address(a), AMOUNT, packed, 0);

        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokens[0], amounts[0]) = (address(a), AMOUNT);
        _expectNotExpected(vault);
        IBalancerV2Vault(vault).flashLoan(address(executor), tokens, amounts, packed);

        address pair = _venue(StepKind.UniswapV2, a, b);
        _expectNotExpected(pair);
        IUniswapV2Pair(pair).swap(1, 0, address(executor), packed);
    }

    /// @dev A plan that the puppet lends or swaps for, and that would land if the puppet behaved.
    function _puppetPlan(uint256 callback) private view returns (bytes memory) {
        Plan memory plan = _cycle(_funding(callback), _kinds(_firstKind(callback), StepKind.UniswapV2), AMOUNT);
        if (_isLoan(callback)) {
            plan.lender = address(puppet);
        } else {
            plan.steps = "";
            StepKind first = _firstKind(callback);
            if (first == StepKind.UniswapV2) plan.stepV2(0, 1, FEE_PIPS, address(puppet));
            else if (first == StepKind.UniswapV3) plan.stepV3(0, 1, address(puppet));
            else if (first == StepKind.UniswapV4) plan.stepV4(0, 1, address(puppet), TERMS_V4);
            else plan.stepBalancerV3(0, 1, address(puppet), POOL_V3);
            _append(plan, StepKind.UniswapV2, 1, 0);
        }
        return plan.encode();
    }

    /// @dev What the executor expects back: the plan, or of an unlocked manager or Vault the first step.
    function _dataOf(uint256 callback, bytes memory packed) private view returns (bytes memory) {
        if (callback != 5 && callback != 6) return packed;
        bool isV4 = callback == 5;
        Step memory step = Step({
            kind: isV4 ? StepKind.UniswapV4 : StepKind.BalancerV3,
            tokenIn: a,
            tokenOut: b,
            venue: address(puppet),
            terms: isV4 ? bytes32(TERMS_V4) : bytes32(bytes20(POOL_V3)),
            end: 64 + 60 + (isV4 ? 49 : 43)
        });
        return abi.encode(step, AMOUNT, _venue(StepKind.UniswapV2, b, a));
    }

    function _isLoan(uint256 callback) private pure returns (bool) {
        return (_base(callback) >= 2 && _base(callback) < 5) || callback >= 10;
    }

    /// @dev The callback of which this is another name.
    function _base(uint256 callback) private pure returns (uint256) {
        if (callback < 7 || callback >= 10) return callback;
        return [uint256(0), 1, 3][callback - 7];
    }

    /// @dev The function that is called: of steps and loans of Uniswap v4 one.
    function _entry(uint256 callback) private pure returns (uint256) {
        return callback == 11 ? 5 : _base(callback);
    }

    /// @dev Own capital, of which the first step pays the puppet, a pool of Uniswap v3.
    function _puppetSwap() private view returns (bytes memory) {
        Plan memory plan = PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(b), address(c));
        plan.stepV3(0, 1, address(puppet));
        _append(plan, StepKind.UniswapV3, 1, 0);
        return plan.encode();
    }

    /// @dev Gives the puppet the first step's output and has it send that, to where the plan wants it.
    function _deliver(uint256 callback) private {
        if (_isLoan(callback)) return;
        b.transfer(address(puppet), 2 * AMOUNT);
        address receiver = _base(callback) == 0 ? address(executor) : _venue(StepKind.UniswapV2, b, a);
        puppet.onCall(_trigger(callback), address(b), abi.encodeCall(IERC20.transfer, (receiver, 2 * AMOUNT)));
    }

    /// @dev Gives the puppet what it lends and has it send that.
    function _lend(uint256 callback) private {
        if (!_isLoan(callback)) return;
        a.transfer(address(puppet), AMOUNT);
        puppet.onCall(_trigger(callback), address(a), abi.encodeCall(IERC20.transfer, (address(executor), AMOUNT)));
    }

    /// @dev Has the puppet take what it lent, where that is its kind.
    function _collect(uint256 callback) private {
        if (callback < 12) return;
        bytes memory call = abi.encodeCall(IERC20.transferFrom, (address(executor), address(puppet), AMOUNT));
        puppet.onCall(_trigger(callback), address(a), call);
    }

    function _firstKind(uint256 callback) private pure returns (StepKind) {
        if (_base(callback) == 1) return StepKind.UniswapV3;
        if (callback == 5) return StepKind.UniswapV4;
        return callback == 6 ? StepKind.BalancerV3 : StepKind.UniswapV2;
    }

    function _funding(uint256 callback) private pure returns (Funding) {
        if (callback >= 10) return Funding(callback - 5);
        if (_isLoan(callback)) return Funding(_base(callback));
        return _base(callback) < 2 ? Funding.FlashSwap : Funding.OwnCapital;
    }

    /// @dev The call of the executor in which the callback comes.
    function _trigger(uint256 callback) private pure returns (bytes4) {
        if (callback == 10) return IBalancerV3Vault.unlock.selector;
        if (callback == 11) return IUniswapV4PoolManager.unlock.selector;
        if (callback == 12) return IMorpho.flashLoan.selector;
        if (callback == 13) return IERC3156FlashLender.flashLoan.selector;
        return [
            IUniswapV2Pair.swap.selector,
            IUniswapV3Pool.swap.selector,
            IBalancerV2Vault.flashLoan.selector,
            IUniswapV3Pool.flash.selector,
            IAaveV3Pool.flashLoanSimple.selector,
            IUniswapV4PoolManager.unlock.selector,
            IBalancerV3Vault.unlock.selector
        ][_base(callback)];
    }

    function _callback(uint256 callback, bytes memory data) private view returns (bytes memory) {
        int256 owed = int256(AMOUNT);
        if (callback == 0) return abi.encodeCall(IUniswapV2Callee.uniswapV2Call, (address(executor), 0, AMOUNT, data));
        if (callback == 1) {
            return abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (owed, -2 * owed, data));
        }
        if (callback == 3) return abi.encodeCall(IUniswapV3FlashCallback.uniswapV3FlashCallback, (0, 0, data));
        if (callback == 7) return abi.encodeCall(PlanFunding.pancakeCall, (address(executor), 0, AMOUNT, data));
        if (callback == 8) return abi.encodeCall(PlanFunding.pancakeV3SwapCallback, (owed, -2 * owed, data));
        if (callback == 9) return abi.encodeCall(Borrowing.pancakeV3FlashCallback, (0, 0, data));
        if (_entry(callback) == 5) return abi.encodeCall(IUniswapV4UnlockCallback.unlockCallback, (data));
        if (callback == 6) return abi.encodeCall(BalancerV3Step.balancerV3Callback, (data));
        if (callback == 10) return abi.encodeCall(Borrowing.balancerV3LoanCallback, (data));
        if (callback == 12) return abi.encodeCall(IMorphoFlashLoanCallback.onMorphoFlashLoan, (AMOUNT, data));
        if (callback == 13) {
            return abi.encodeCall(IERC3156FlashBorrower.onFlashLoan, (address(executor), address(a), AMOUNT, 0, data));
        }
        if (callback == 4) {
            return abi.encodeCall(
                IAaveV3FlashLoanSimpleReceiver.executeOperation, (address(a), AMOUNT, 0, address(executor), data)
            );
        }
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokens[0], amounts[0]) = (address(a), AMOUNT);
        return abi.encodeCall(IBalancerV2FlashLoanRecipient.receiveFlashLoan, (tokens, amounts, new uint256[](1), data));
    }

    function _call(bytes memory data) private {
        (bool isDone, bytes memory reason) = address(executor).call(data);
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function _expectNotExpected(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(CallbackLock.CallbackNotExpected.selector, caller));
    }
}
