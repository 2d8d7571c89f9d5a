// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ILocker, Term} from "../../src/interfaces/ILocker.sol";
import {Locker} from "../../src/Locker.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice What must hold of a locker, each as a function that reverts if it does not.
abstract contract LockerProperties is VaultFixture {
    uint256 internal constant WEEK = 7 days;

    /// @notice Alice, Bob and Mallory hold a thousand shares each.
    function setUp() public virtual override {
        super.setUp();
        _deposit(ALICE, 1_000e18);
        _deposit(BOB, 1_000e18);
        _deposit(MALLORY, 1_000e18);
        _deposit(address(this), 0);
        token.approve(address(vault), type(uint256).max);
        vault.deposit(1_000e18, address(this));
    }

    function _useLocker(Locker newLocker) internal {
        locker = newLocker;
        address[3] memory holders = [ALICE, BOB, MALLORY];
        for (uint256 i; i < 3; ++i) {
            vm.prank(holders[i]);
            vault.approve(address(locker), type(uint256).max);
        }
    }

    function _lock(address holder, uint256 shares, Term term) internal returns (uint256 id) {
        vm.prank(holder);
        return locker.lock(shares, term);
    }

    function _claim(address holder, uint256 id) internal returns (uint256) {
        vm.prank(holder);
        return locker.claim(id);
    }

    function _reward(uint256 shares) internal {
        vault.transfer(address(locker), shares);
        locker.settle();
    }

    function a_lock_holds_until_its_end_and_opens_then() external {
        for (uint8 term; term < 4; ++term) {
            uint256 id = _lock(ALICE, 10e24, Term(term));
            uint256 end = locker.lockedUntil(id);
            vm.warp(end - 1);
            vm.startPrank(ALICE);
            vm.expectRevert(abi.encodeWithSelector(ILocker.StillLocked.selector, id, end));
            locker.unlock(id);
            vm.warp(end);
            (uint256 shares,) = locker.unlock(id);
            vm.stopPrank();
            assertEq(shares, 10e24);
            assertEq(vault.balanceOf(ALICE), 1_000e24);
            assertEq(locker.totalWeight(), 0);
            assertEq(locker.totalLocked(), 0);
        }
    }

    function a_notice_opens_the_locks_that_were_there_and_no_others() external {
        uint256 before = _lock(ALICE, 10e24, Term.Year);
        vm.prank(OWNER);
        vault.setCap(address(first), 2 * CAP);
        skip(1);
        uint256 afterwards = _lock(BOB, 10e24, Term.Year);
        skip(vault.NOTICE() - 2);
        uint256 snapshot = vm.snapshotState();
        vm.prank(ALICE);
        locker.unlock(before);
        assertEq(locker.totalWeight(), 40e24);
        vm.prank(BOB);
        vm.expectPartialRevert(ILocker.StillLocked.selector);
        locker.unlock(afterwards);

        vm.revertToState(snapshot);
        skip(1); // who stays until the notice has run has agreed
        vm.prank(ALICE);
        vm.expectPartialRevert(ILocker.StillLocked.selector);
        locker.unlock(before);
    }

    function rewards_are_shared_by_weight() external {
        uint256 ofAlice = _lock(ALICE, 100e24, Term.Month);
        uint256 ofBob = _lock(BOB, 100e24, Term.Year);
        uint256 ofMallory = _lock(MALLORY, 200e24, Term.Quarter);
        _reward(90e24);
        skip(WEEK);
        assertApproxEqAbs(_claim(ALICE, ofAlice), 10e24, 1e6);
        assertApproxEqAbs(_claim(BOB, ofBob), 40e24, 1e6);
        assertApproxEqAbs(_claim(MALLORY, ofMallory), 40e24, 1e6);
        assertEq(_claim(MALLORY, ofMallory), 0);
    }

    function nothing_is_earned_after_the_end() external {
        uint256 ofAlice = _lock(ALICE, 100e24, Term.Month);
        uint256 ofBob = _lock(BOB, 100e24, Term.Quarter);
        vm.warp(locker.lockedUntil(ofAlice) - 3 days);
        _reward(70e24);
        skip(WEEK);
        // three days of ten each: a third to Alice; the other four all to Bob
        assertApproxEqAbs(_claim(BOB, ofBob), 60e24, 1e6);
        vm.prank(ALICE);
        (uint256 shares, uint256 reward) = locker.unlock(ofAlice);
        assertEq(shares, 100e24);
        assertApproxEqAbs(reward, 10e24, 1e6);
    }

    function nobody_gains_by_locking_just_before_a_reward() external {
        uint256 ofAlice = _lock(ALICE, 100e24, Term.Month);
        uint256 ofMallory = _lock(MALLORY, 900e24, Term.Year);
        _reward(70e24);
        skip(1);
        assertLe(_claim(MALLORY, ofMallory), 70e24 / WEEK);
        assertLe(_claim(ALICE, ofAlice), 70e24 / WEEK);
    }
}
