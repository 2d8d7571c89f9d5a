// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IVault} from "../src/interfaces/IVault.sol";
import {Vault} from "../src/Vault.sol";
import {StrategyDouble} from "./vault/StrategyDouble.sol";
import {VaultFixture} from "./vault/VaultFixture.sol";

/// @notice Who may do what, and how long others have to leave before it holds.
contract VaultRolesTest is VaultFixture {
    function test_a_vault_without_owner_is_refused() public {
        vm.expectRevert(IVault.OwnerIsZero.selector);
        new Vault(token, "V", "V", address(0), 0, 0);
    }

    function test_a_fee_above_a_fifth_is_refused() public {
        new Vault(token, "V", "V", OWNER, 2_000, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.FeeAboveMaximum.selector, 2_001, 2_000));
        new Vault(token, "V", "V", OWNER, 2_001, 0);
    }

    function test_a_part_of_the_locker_above_half_is_refused() public {
        new Vault(token, "V", "V", OWNER, 0, 5_000);
        vm.expectRevert(abi.encodeWithSelector(IVault.LockerPartAboveMaximum.selector, 5_001, 5_000));
        new Vault(token, "V", "V", OWNER, 0, 5_001);
    }

    function testFuzz_nobody_but_the_owner_does_what_is_the_owners(address caller) public {
        vm.assume(caller != OWNER);
        bytes memory refusal = abi.encodeWithSelector(IVault.NotOwner.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        vault.setOperator(caller, true);
        vm.expectRevert(refusal);
        vault.setCap(address(first), 1);
        vm.expectRevert(refusal);
        vault.unlist(address(first));
        vm.expectRevert(refusal);
        vault.announceLoss(address(first));
        vm.expectRevert(refusal);
        vault.writeOff(address(first));
    }

    function testFuzz_nobody_but_operators_moves_money(address caller) public {
        vm.assume(caller != OPERATOR && caller != OWNER);
        bytes memory refusal = abi.encodeWithSelector(IVault.NotOperator.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        vault.allocate(address(first), 0);
        vm.expectRevert(refusal);
        vault.free(address(first), 0);
    }

    function test_the_owner_takes_money_back_but_puts_none_in() public {
        _deposit(ALICE, 10e18);
        _allocate(first, 10e18);
        vm.startPrank(OWNER);
        assertEq(vault.free(address(first), 4e18), 4e18);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotOperator.selector, OWNER));
        vault.allocate(address(first), 1);
        vm.stopPrank();
    }

    function test_the_owner_appoints_and_dismisses_operators() public {
        assertTrue(vault.isOperator(OPERATOR));
        vm.expectEmit(address(vault));
        emit IVault.OperatorSet(OPERATOR, false);
        vm.prank(OWNER);
        vault.setOperator(OPERATOR, false);
        assertFalse(vault.isOperator(OPERATOR));
        vm.expectRevert(abi.encodeWithSelector(IVault.NotOperator.selector, OPERATOR));
        vm.prank(OPERATOR);
        vault.allocate(address(first), 0);
    }

    function test_an_operator_sends_money_to_listed_strategies_only() public {
        _deposit(ALICE, 10e18);
        StrategyDouble stranger = new StrategyDouble(address(vault), token);
        vm.startPrank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IVault.CapExceeded.selector, address(stranger), 1, 0));
        vault.allocate(address(stranger), 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotListed.selector, address(stranger)));
        vault.free(address(stranger), 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotListed.selector, address(stranger)));
        vault.harvest(address(stranger));
        vm.stopPrank();
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotListed.selector, address(stranger)));
        vault.announceLoss(address(stranger));
        vm.expectRevert(abi.encodeWithSelector(IVault.NotListed.selector, address(stranger)));
        vault.unlist(address(stranger));
    }

    function test_a_strategy_is_told_what_it_was_sent() public {
        _deposit(ALICE, 10e18);
        vm.expectEmit(address(vault));
        emit IVault.Allocated(address(first), 3e18);
        _allocate(first, 3e18);
        assertEq(first.told(), 3e18);
        assertEq(token.balanceOf(address(first)), 3e18);
        assertEq(vault.debtOf(address(first)), 3e18);
        assertEq(vault.totalDebt(), 3e18);
    }

    function test_a_lower_cap_holds_at_once_and_takes_a_higher_one_back() public {
        vm.startPrank(OWNER);
        vault.setCap(address(first), 2 * CAP);
        assertEq(vault.capOf(address(first)), CAP);
        assertEq(vault.announcedAt(), block.timestamp);
        assertEq(vault.noticeEnd(), block.timestamp + 14 days);
        vault.setCap(address(first), CAP / 2);
        assertEq(vault.capOf(address(first)), CAP / 2);
        skip(14 days);
        assertEq(vault.capOf(address(first)), CAP / 2);
    }

    function test_raising_a_cap_again_begins_its_notice_again() public {
        vm.startPrank(OWNER);
        vault.setCap(address(first), 2 * CAP);
        skip(13 days);
        vault.setCap(address(first), 3 * CAP);
        skip(13 days);
        assertEq(vault.capOf(address(first)), CAP);
        skip(1 days);
        assertEq(vault.capOf(address(first)), 3 * CAP);
    }

    function test_money_comes_back_from_above_a_lowered_cap() public {
        _deposit(ALICE, 10e18);
        _allocate(first, 10e18);
        vm.prank(OWNER);
        vault.setCap(address(first), 0);
        vm.expectEmit(address(vault));
        emit IVault.Freed(address(first), 10e18);
        vm.prank(OPERATOR);
        vault.free(address(first), type(uint256).max);
        assertEq(vault.debtOf(address(first)), 0);
    }

    function test_at_most_eight_strategies_of_this_vault_are_listed() public {
        StrategyDouble foreign = new StrategyDouble(address(this), token);
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotOfThisVault.selector, address(foreign)));
        vault.setCap(address(foreign), 1);
        for (uint256 i = 2; i < 8; ++i) {
            vault.setCap(address(new StrategyDouble(address(vault), token)), 1);
        }
        address ninth = address(new StrategyDouble(address(vault), token));
        vm.expectRevert(abi.encodeWithSelector(IVault.TooManyStrategies.selector, 8));
        vault.setCap(ninth, 1);
        assertEq(vault.strategies().length, 8);
    }

    function test_a_strategy_that_owes_nothing_leaves_the_list_and_the_others_keep_their_order() public {
        address third = address(new StrategyDouble(address(vault), token));
        _deposit(ALICE, 10e18);
        _allocate(second, 10e18);
        vm.startPrank(OWNER);
        vault.setCap(third, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.StrategyInDebt.selector, address(second), 10e18));
        vault.unlist(address(second));
        vault.unlist(address(first));
        assertFalse(vault.isListed(address(first)));
        assertEq(vault.capOf(address(first)), 0);
        assertEq(vault.strategies()[0], address(second));
        assertEq(vault.strategies()[1], third);
        vault.unlist(third);
        assertEq(vault.strategies().length, 1);

        vault.setCap(address(first), 1);
        assertEq(vault.capOf(address(first)), 0, "who comes back waits again");
    }
}
