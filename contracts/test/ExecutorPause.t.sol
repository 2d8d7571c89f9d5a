// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Artifacts} from "./market/Artifacts.sol";

/// @notice Who stops operators, who lets them go on, and what the owner alone changes.
contract ExecutorPauseTest is Artifacts {
    address private constant OWNER = address(0xB1);
    address private constant OPERATOR = address(0xB2);
    address private constant GUARDIAN = address(0xB3);
    address private constant TREASURY = address(0xB4);

    IExecutor private executor;
    DevToken private token;

    function setUp() public {
        executor = _newExecutor(OWNER, address(0));
        token = new DevToken("A", "A", 18, 100);
        token.transfer(address(executor), 100);
        vm.startPrank(OWNER);
        executor.setOperator(OPERATOR, true);
        executor.setGuardian(GUARDIAN);
        executor.setTreasury(TREASURY);
        vm.stopPrank();
    }

    function test_the_guardian_pauses_and_the_owner_alone_unpauses() public {
        vm.expectEmit(address(executor));
        emit IRoles.Paused(GUARDIAN);
        vm.prank(GUARDIAN);
        executor.pause();
        assertTrue(executor.isPaused());

        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOwner.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        executor.unpause();

        vm.expectEmit(address(executor));
        emit IRoles.Unpaused();
        vm.prank(OWNER);
        executor.unpause();
        assertFalse(executor.isPaused());
    }

    function test_the_owner_pauses_without_a_guardian() public {
        vm.startPrank(OWNER);
        executor.setGuardian(address(0));
        executor.pause();
        assertTrue(executor.isPaused());
    }

    function testFuzz_nobody_else_pauses(address caller) public {
        vm.assume(caller != OWNER && caller != GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotGuardian.selector, caller));
        vm.prank(caller);
        executor.pause();
        assertFalse(executor.isPaused());
    }

    function test_a_guardian_that_was_replaced_pauses_no_more() public {
        vm.prank(OWNER);
        executor.setGuardian(address(0xB5));
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotGuardian.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        executor.pause();
    }

    function test_a_paused_operator_does_nothing() public {
        vm.prank(GUARDIAN);
        executor.pause();
        vm.startPrank(OPERATOR);
        vm.expectRevert(IRoles.IsPaused.selector);
        executor.execute("");
        vm.expectRevert(IRoles.IsPaused.selector);
        executor.executeBatch(new bytes[](1));
        vm.expectRevert(IRoles.IsPaused.selector);
        executor.sweep(token, 1);
        assertEq(token.balanceOf(address(executor)), 100);
    }

    function test_the_owner_withdraws_and_keeps_the_roles_while_paused() public {
        vm.startPrank(OWNER);
        executor.pause();
        executor.withdraw(token, OWNER, 100);
        assertEq(token.balanceOf(OWNER), 100);
        executor.setOperator(OPERATOR, false);
        assertFalse(executor.isOperator(OPERATOR));
        assertTrue(executor.isPaused());
    }

    /// @dev The guardian and the operator among them.
    function testFuzz_nobody_but_the_owner_changes_anything(address caller, uint256 who, address value) public {
        if (who % 4 == 0) caller = GUARDIAN;
        if (who % 4 == 1) caller = OPERATOR;
        vm.assume(caller != OWNER);
        bytes[8] memory calls = [
            abi.encodeCall(IRoles.setOperator, (value, true)),
            abi.encodeCall(IRoles.setOperator, (OPERATOR, false)),
            abi.encodeCall(IRoles.setGuardian, (value)),
            abi.encodeCall(IRoles.setTreasury, (value)),
            abi.encodeCall(IRoles.setListed, (new IERC20[](1), true)),
            abi.encodeCall(IRoles.setTipShareMax, (1)),
            abi.encodeCall(IRoles.unpause, ()),
            abi.encodeCall(IExecutor.withdraw, (token, value, 1))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(caller);
            (bool isDone, bytes memory reason) = address(executor).call(calls[i]);
            assertFalse(isDone);
            assertEq(reason, abi.encodeWithSelector(IRoles.NotOwner.selector, caller));
        }
        assertTrue(executor.isOperator(OPERATOR));
        assertEq(executor.guardian(), GUARDIAN);
        assertEq(executor.treasury(), TREASURY);
        assertEq(token.balanceOf(address(executor)), 100);
    }

    function testFuzz_the_cap_of_tips_is_a_share(uint16 shareBps) public {
        vm.prank(OWNER);
        if (shareBps > 10_000) {
            vm.expectRevert(abi.encodeWithSelector(IRoles.TipShareTooLarge.selector, shareBps, 10_000));
            executor.setTipShareMax(shareBps);
        } else {
            executor.setTipShareMax(shareBps);
            assertEq(executor.tipShareMaxBps(), shareBps);
        }
    }

    function test_a_cap_and_a_pause_leave_the_first_operator() public {
        vm.startPrank(OWNER);
        executor.setTipShareMax(77);
        executor.pause();
        executor.unpause();
        assertTrue(executor.isOperator(OPERATOR));
        assertEq(executor.tipShareMaxBps(), 77);
    }
}
