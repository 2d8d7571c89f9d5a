// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Term} from "../src/interfaces/ILocker.sol";
import {VaultFixture} from "./vault/VaultFixture.sol";

/// @notice The gas of whole transactions, 21,000 and calldata included, in a vault and a locker already in use.
/// forge-config: default.isolate = true
contract VaultGasTest is VaultFixture {
    function setUp() public override {
        super.setUp();
        _deposit(ALICE, 1_000e18);
        _deposit(BOB, 1_000e18);
        _allocate(first, 400e18);
        _allocate(second, 400e18);
        _earn(first, 10e18);
        vm.prank(ALICE);
        locker.lock(10e24, Term.Year);
        skip(1 days);
    }

    function test_deposit() public {
        _deposit(ALICE, 10e18);
        _log();
    }

    function test_withdraw_from_what_is_here() public {
        vm.prank(ALICE);
        vault.withdraw(10e18, ALICE, ALICE);
        _log();
    }

    function test_redeem_from_what_is_here() public {
        _redeem(ALICE, 10e24);
        _log();
    }

    function test_redeem_from_two_strategies() public {
        vm.prank(OPERATOR);
        vault.allocate(address(first), 600e18);
        vm.prank(OPERATOR);
        vault.allocate(address(second), 600e18);
        _redeem(ALICE, 980e24);
        _log();
    }

    function test_redeem_with_a_part_of_a_loss() public {
        first.lose(NOWHERE, 100e18);
        _redeem(ALICE, 10e24);
        _log();
    }

    function test_harvest() public {
        _earn(first, 10e18);
        _log();
    }

    function test_lock() public {
        vm.prank(BOB);
        locker.lock(10e24, Term.Quarter);
        _log();
    }

    function test_claim_after_a_day() public {
        vm.prank(ALICE);
        locker.claim(1);
        _log();
    }

    function _log() private {
        emit log_named_uint("gas of the transaction", vm.lastCallGas().gasTotalUsed);
    }
}
