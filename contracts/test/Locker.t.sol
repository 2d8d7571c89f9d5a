// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ILocker, Term} from "../src/interfaces/ILocker.sol";
import {LockerProperties} from "./vault/LockerProperties.sol";

contract LockerTest is LockerProperties {
    function test_a_lock_is_written_down_as_it_was_made() public {
        vm.expectEmit(address(locker));
        emit ILocker.Locked(1, ALICE, 5e24, 10e24, (block.timestamp + 90 days + 1 days - 1) / 1 days * 1 days);
        uint256 id = _lock(ALICE, 5e24, Term.Quarter);
        ILocker.Lock memory held = locker.lockOf(id);
        assertEq(held.owner, ALICE);
        assertEq(held.lockedAt, block.timestamp);
        assertEq(held.shares, 5e24);
        assertEq(held.weight, 10e24);
        assertEq(locker.totalLocked(), 5e24);
        assertEq(locker.totalWeight(), 10e24);
    }

    function testFuzz_a_lock_ends_at_the_first_midnight_after_its_term(uint256 time, uint8 place) public {
        uint256[4] memory terms = [uint256(30 days), 90 days, 180 days, 365 days];
        vm.warp(bound(time, block.timestamp, block.timestamp + 365 days));
        uint256 id = _lock(ALICE, 1, Term(place % 4));
        uint256 end = locker.lockedUntil(id);
        assertEq(end % 1 days, 0);
        assertGe(end, block.timestamp + terms[place % 4]);
        assertLt(end, block.timestamp + terms[place % 4] + 1 days);
    }

    function test_nothing_cannot_be_locked() public {
        vm.expectRevert(ILocker.NothingToLock.selector);
        _lock(ALICE, 0, Term.Month);
    }

    function testFuzz_nobody_else_claims_or_unlocks(address caller) public {
        vm.assume(caller != ALICE);
        uint256 id = _lock(ALICE, 5e24, Term.Month);
        skip(40 days);
        bytes memory refusal = abi.encodeWithSelector(ILocker.NotOwnerOfLock.selector, id, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        locker.claim(id);
        vm.expectRevert(refusal);
        locker.unlock(id);
    }

    function test_a_lock_is_paid_out_once() public {
        uint256 id = _lock(ALICE, 5e24, Term.Month);
        skip(40 days);
        vm.startPrank(ALICE);
        locker.unlock(id);
        vm.expectRevert(abi.encodeWithSelector(ILocker.NotOwnerOfLock.selector, id, ALICE));
        locker.unlock(id);
        vm.stopPrank();
    }

    /// @dev The harvest pays the Locker in shares, which are there before anybody calls it.
    function test_the_fee_of_the_vault_reaches_who_is_locked() public {
        uint256 ofAlice = _lock(ALICE, 100e24, Term.Month);
        uint256 ofBob = _lock(BOB, 100e24, Term.Year);
        _allocate(first, 100e18);
        _earn(first, 100e18);
        uint256 part = vault.balanceOf(address(locker)) - locker.totalLocked();
        assertEq(part, 4e24);
        vm.expectEmit(address(locker));
        emit ILocker.RewardReceived(part);
        locker.settle();
        skip(WEEK);
        assertApproxEqAbs(_claim(ALICE, ofAlice), part / 5, 1e6);
        assertApproxEqAbs(_claim(BOB, ofBob), part * 4 / 5, 1e6);
    }

    function test_what_comes_while_nobody_is_locked_waits() public {
        _reward(70e24);
        skip(100 days);
        uint256 id = _lock(ALICE, 1, Term.Month);
        assertEq(_claim(ALICE, id), 0);
        skip(1 days);
        assertApproxEqAbs(_claim(ALICE, id), 10e24, 1e6);
        skip(6 days);
        assertApproxEqAbs(_claim(ALICE, id), 60e24, 1e6);
    }

    function test_what_is_left_when_the_last_lock_ends_waits_for_the_next() public {
        uint256 ofAlice = _lock(ALICE, 1e24, Term.Month);
        vm.warp(locker.lockedUntil(ofAlice) - 1 days);
        _reward(70e24);
        skip(50 days);
        assertApproxEqAbs(_claim(ALICE, ofAlice), 10e24, 1e6);
        uint256 ofBob = _lock(BOB, 1e24, Term.Month);
        skip(WEEK);
        assertApproxEqAbs(_claim(BOB, ofBob), 60e24, 1e6);
        assertEq(_claim(ALICE, ofAlice), 0);
    }

    function test_dust_does_not_put_off_what_is_on_its_way() public {
        uint256 id = _lock(ALICE, 1e24, Term.Month);
        _reward(70e24);
        for (uint256 day; day < 7; ++day) {
            skip(1 days);
            _reward(1);
        }
        assertApproxEqAbs(_claim(ALICE, id), 70e24, 1e6);
    }

    /// @dev Settled every day or once: the same reward, but for what is rounded down.
    function testFuzz_it_does_not_matter_how_often_somebody_settles(uint256 amount, uint8 times) public {
        uint256 ofAlice = _lock(ALICE, 7e24, Term.Month);
        uint256 ofBob = _lock(BOB, 11e24, Term.Quarter);
        _reward(bound(amount, 1e6, 1_000e24));
        uint256 snapshot = vm.snapshotState();
        skip(40 days);
        uint256 once = _claim(ALICE, ofAlice) + _claim(BOB, ofBob);
        vm.revertToState(snapshot);
        for (uint256 i; i <= times; ++i) {
            skip(40 days / (uint256(times) + 1));
            locker.settle();
        }
        skip(1 days);
        assertApproxEqAbs(_claim(ALICE, ofAlice) + _claim(BOB, ofBob), once, 300);
    }

    function test_leaving_early_on_a_notice_keeps_what_was_earned() public {
        uint256 ofAlice = _lock(ALICE, 100e24, Term.Year);
        uint256 ofBob = _lock(BOB, 100e24, Term.Year);
        _reward(70e24);
        vm.prank(OWNER);
        vault.setCap(address(first), 2 * CAP);
        skip(1 days);
        vm.prank(ALICE);
        (uint256 shares, uint256 reward) = locker.unlock(ofAlice);
        assertEq(shares, 100e24);
        assertApproxEqAbs(reward, 5e24, 1e6);
        skip(6 days);
        assertApproxEqAbs(_claim(BOB, ofBob), 65e24, 1e6);
        vm.warp(locker.lockedUntil(ofBob));
        vm.prank(BOB);
        locker.unlock(ofBob);
        assertEq(locker.totalWeight(), 0);
    }

    /// @dev No lock is longer than a year, so a walk over midnights never is: leaving is possible however long nobody called.
    function test_ten_years_without_a_call_cost_no_more_than_one() public {
        uint256 id = _lock(ALICE, 1e24, Term.Month);
        vm.prank(BOB);
        locker.lock(1e24, Term.Year);
        _reward(70e24);
        skip(365 days);
        uint256 gas = gasleft();
        locker.settle();
        gas -= gasleft();
        emit log_named_uint("gas to settle a year", gas);
        assertLt(gas, 2_000_000);
        skip(3_650 days);
        gas = gasleft();
        vm.prank(ALICE);
        locker.unlock(id);
        assertLt(gas - gasleft(), 300_000);
    }
}
