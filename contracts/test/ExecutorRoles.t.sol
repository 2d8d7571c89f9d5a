// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {PlanReader} from "../src/libraries/PlanReader.sol";
import {NoReturnToken} from "../src/devnet/NoReturnToken.sol";
import {Artifacts} from "./market/Artifacts.sol";

contract ExecutorRolesTest is Artifacts {
    address private constant OWNER = address(0xB1);
    address private constant OPERATOR = address(0xB2);

    IExecutor private executor;

    function setUp() public {
        executor = _newExecutor(OWNER, address(0));
        vm.prank(OWNER);
        executor.setOperator(OPERATOR, true);
    }

    function test_an_executor_without_owner_is_refused() public {
        vm.expectRevert(IRoles.OwnerIsZero.selector);
        IExecutor(vm.deployCode("Executor.sol:Executor", abi.encode(address(0), address(0))));
    }

    function test_the_owner_appoints_and_dismisses_operators() public {
        assertTrue(executor.isOperator(OPERATOR));
        vm.expectEmit(address(executor));
        emit IRoles.OperatorSet(OPERATOR, false);
        vm.prank(OWNER);
        executor.setOperator(OPERATOR, false);
        assertFalse(executor.isOperator(OPERATOR));

        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOperator.selector, OPERATOR));
        vm.prank(OPERATOR);
        executor.execute("");
    }

    function testFuzz_nobody_else_appoints_or_withdraws(address caller) public {
        vm.assume(caller != OWNER);
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, caller));
        executor.setOperator(caller, true);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, caller));
        executor.withdraw(IERC20(address(0)), caller, 0);
    }

    function testFuzz_only_operators_execute(address caller) public {
        vm.assume(caller != OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOperator.selector, caller));
        vm.prank(caller);
        executor.execute("");
    }

    function test_an_operator_reaches_the_plan() public {
        vm.expectRevert(abi.encodeWithSelector(PlanReader.PlanTruncated.selector, 0, 64));
        vm.prank(OPERATOR);
        executor.execute("");
    }

    function test_the_owner_withdraws_any_token() public {
        DevToken token = new DevToken("A", "A", 6, 100);
        NoReturnToken silent = new NoReturnToken(100);
        token.transfer(address(executor), 100);
        silent.transfer(address(executor), 100);

        vm.startPrank(OWNER);
        vm.expectEmit(address(executor));
        emit IExecutor.Withdrawn(address(token), OPERATOR, 40);
        executor.withdraw(token, OPERATOR, 40);
        executor.withdraw(IERC20(address(silent)), OPERATOR, 100);

        assertEq(token.balanceOf(OPERATOR), 40);
        assertEq(token.balanceOf(address(executor)), 60);
        assertEq(silent.balanceOf(OPERATOR), 100);
    }

    function test_native_coin_is_refused() public {
        (bool isAccepted,) = address(executor).call{value: 1}("");
        assertFalse(isAccepted);
    }
}
