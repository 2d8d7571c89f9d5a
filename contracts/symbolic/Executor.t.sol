// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {Executor} from "../src/Executor.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {IWrappedNative} from "../src/interfaces/IWrappedNative.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {Havoc, HonestToken, SVM} from "./Havoc.sol";

/// @notice Proofs for all amounts, by halmos: whatever the venues and the lender of a plan of two steps do, it reverts or
/// nothing that is held has fallen, and no allowance is left.
/// @dev The bounds: two steps, two listed tokens that keep to the standard, everything called is one havoc, which calls back
/// once, nothing is tipped. Beyond these bounds the property is tested, not proven.
contract ExecutorSymbolicTest is Test {
    uint8 private constant KINDS = uint8(type(StepKind).max);
    uint8 private constant FUNDINGS = uint8(type(Funding).max) + 1;

    Executor private executor;
    HonestToken private a;
    HonestToken private b;
    Havoc private havoc;

    function setUp() public {
        (a, b) = (new HonestToken(), new HonestToken());
        executor = new Executor(address(this), IWrappedNative(address(0xEEEE)));
        havoc = new Havoc(a, b, address(executor));
        executor.setOperator(address(this), true);
        IERC20[] memory tokens = new IERC20[](2);
        (tokens[0], tokens[1]) = (IERC20(address(a)), IERC20(address(b)));
        executor.setListed(tokens, true);
    }

    function check_own_capital_v2() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.UniswapV2);
    }

    function check_own_capital_v3() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.UniswapV3);
    }

    function check_own_capital_balancer_v2() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.BalancerV2);
    }

    function check_own_capital_v4() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.UniswapV4);
    }

    function check_own_capital_curve() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.Curve);
    }

    function check_own_capital_balancer_v3() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.BalancerV3);
    }

    function check_own_capital_solidly() public {
        _checkAllAfter(Funding.OwnCapital, StepKind.Solidly);
    }

    function check_flash_swap_v2() public {
        _checkAllAfter(Funding.FlashSwap, StepKind.UniswapV2);
    }

    function check_flash_swap_v3() public {
        _checkAllAfter(Funding.FlashSwap, StepKind.UniswapV3);
    }

    function check_balancer_v2_loan() public {
        _checkAllAfter(Funding.BalancerV2Loan, StepKind.Curve);
    }

    function check_uniswap_v3_loan() public {
        _checkAllAfter(Funding.UniswapV3Loan, StepKind.Curve);
    }

    function check_aave_v3_loan() public {
        _checkAllAfter(Funding.AaveV3Loan, StepKind.Curve);
    }

    function check_nobody_but_an_operator_executes(address caller, bytes memory plan) public {
        vm.assume(caller != address(this));
        _assertRefused(caller, abi.encodeCall(IExecutor.execute, (plan)));
        _assertRefused(caller, abi.encodeCall(IExecutor.sweep, (IERC20(address(a)), 1)));
    }

    function check_nobody_but_itself_executes_of_a_batch(address caller, bytes memory plan) public {
        vm.assume(caller != address(executor));
        _assertRefused(caller, abi.encodeCall(IExecutor.executeOfBatch, (plan)));
    }

    /// @dev There is no guardian, which the zero address stands for; nobody calls from there.
    function check_nobody_but_the_owner_governs(address caller, address value, bool isSet, uint16 share) public {
        vm.assume(caller != address(this) && caller != address(0));
        _assertRefused(caller, abi.encodeCall(IRoles.setOperator, (value, isSet)));
        _assertRefused(caller, abi.encodeCall(IRoles.setGuardian, (value)));
        _assertRefused(caller, abi.encodeCall(IRoles.setTreasury, (value)));
        _assertRefused(caller, abi.encodeCall(IRoles.setTipShareMax, (share)));
        _assertRefused(caller, abi.encodeCall(IRoles.pause, ()));
        _assertRefused(caller, abi.encodeCall(IRoles.unpause, ()));
        _assertRefused(caller, abi.encodeCall(IExecutor.withdraw, (IERC20(address(a)), value, 1)));
    }

    /// @dev Any orders leave as an operator exactly who was appointed last.
    function check_an_operator_is_who_was_appointed(address x, address y, bool[4] memory isSet) public {
        vm.assume(x != y && x != address(0) && y != address(0) && x != address(this) && y != address(this));
        executor.setOperator(address(this), false);
        executor.setOperator(x, isSet[0]);
        executor.setOperator(y, isSet[1]);
        executor.setOperator(x, isSet[2]);
        executor.setOperator(y, isSet[3]);
        assert(executor.isOperator(x) == isSet[2]);
        assert(executor.isOperator(y) == isSet[3]);
        executor.setOperator(y, false);
        assert(!executor.isOperator(y));
    }

    /// @dev Whatever the second step is.
    function _checkAllAfter(Funding funding, StepKind first) private {
        uint256 second = SVM.createUint256("second");
        for (uint8 kind = 1; kind <= KINDS; ++kind) {
            if (second == kind) _check(funding, _step(first, 0), _step(StepKind(kind), 1));
        }
    }

    function _check(Funding funding, bytes memory first, bytes memory second) private {
        (uint256 heldA, uint256 heldB) = (uint128(SVM.createUint256("heldA")), uint128(SVM.createUint256("heldB")));
        uint128 profitMin = uint128(SVM.createUint256("profitMin"));
        a.give(address(executor), heldA);
        b.give(address(executor), heldB);
        a.give(address(havoc), SVM.createUint256("richA"));
        b.give(address(havoc), SVM.createUint256("richB"));
        bytes memory header = abi.encodePacked(
            funding,
            funding > Funding.FlashSwap ? address(havoc) : address(0),
            uint128(SVM.createUint256("amountIn")),
            profitMin,
            type(uint64).max,
            uint16(0),
            uint8(2)
        );
        bytes memory plan = bytes.concat(header, abi.encodePacked(a, b), first, second);
        (bool isDone,) = address(executor).call(abi.encodeCall(IExecutor.execute, (plan)));
        if (!isDone) return;
        assert(a.balanceOf(address(executor)) >= heldA + profitMin);
        assert(b.balanceOf(address(executor)) >= heldB);
        assert(a.allowance(address(executor), address(havoc)) == 0);
        assert(b.allowance(address(executor), address(havoc)) == 0);
    }

    function _step(StepKind kind, uint8 indexIn) private view returns (bytes memory) {
        uint8 indexOut = 1 - indexIn;
        bytes memory head = abi.encodePacked(kind, indexIn, indexOut);
        if (kind == StepKind.UniswapV2) return abi.encodePacked(head, uint24(3000), havoc);
        if (kind == StepKind.BalancerV2) return abi.encodePacked(head, havoc, bytes32(uint256(1)));
        if (kind == StepKind.UniswapV4) return abi.encodePacked(head, havoc, bytes26(uint208(1)));
        if (kind == StepKind.Curve) return abi.encodePacked(head, havoc, uint8(0), indexIn, indexOut);
        if (kind == StepKind.BalancerV3) return abi.encodePacked(head, havoc, address(1));
        return abi.encodePacked(head, havoc);
    }

    function _assertRefused(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool isDone,) = address(executor).call(data);
        assert(!isDone);
    }
}
