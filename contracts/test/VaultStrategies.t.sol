// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {FeeToken} from "../src/devnet/FeeToken.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Vault} from "../src/Vault.sol";
import {Manner, StrategyDouble} from "./vault/StrategyDouble.sol";
import {VaultFixture} from "./vault/VaultFixture.sol";

/// @notice What a strategy can do wrong, and whom it costs what.
contract VaultStrategiesTest is VaultFixture {
    function test_a_strategy_that_does_not_answer_counts_as_empty_and_stops_nobody() public {
        Manner[3] memory manners = [Manner.Reverting, Manner.BurningGas, Manner.AnsweringTooShort];
        for (uint256 i; i < manners.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _deposit(ALICE, 100e18);
            _allocate(first, 40e18);
            first.answer(manners[i], 0);
            assertEq(vault.totalAssets(), 60e18);
            assertEq(vault.unrealisedLoss(), 40e18);
            _deposit(BOB, 10e18);
            assertApproxEqAbs(_redeem(ALICE, 10e24), 10e18 * 70e18 / uint256(110e18), 1);
            vm.revertToState(snapshot);
        }
    }

    function test_an_answer_that_is_too_long_is_not_copied() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 40e18);
        first.answer(Manner.AnsweringTooLong, 0);
        assertEq(vault.totalAssets(), 60e18 + 7);
    }

    function test_a_strategy_without_code_counts_as_empty() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 40e18);
        vm.etch(address(first), "");
        assertEq(vault.totalAssets(), 60e18);
        assertEq(_redeem(ALICE, 50e24), 30e18);
    }

    function test_a_reading_needs_its_gas_or_the_call_fails() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 40e18);
        vm.expectPartialRevert(IVault.GasTooLow.selector);
        vault.totalAssets{gas: 150_000}();
    }

    /// @dev The worst that a full list can do: each burns all its gas when read, and none pays.
    function test_leaving_with_what_is_here_fits_into_a_block_when_eight_strategies_burn_their_gas() public {
        _deposit(ALICE, 100e18);
        StrategyDouble[] memory all = _eight();
        for (uint256 i; i < all.length; ++i) {
            all[i].answer(Manner.BurningGas, 0);
            all[i].pay(Manner.BurningGas, 0, 0);
        }
        uint256 gas = gasleft();
        _redeem(ALICE, 10e24);
        uint256 forUnread = gas - gasleft();

        for (uint256 i; i < all.length; ++i) {
            all[i].answer(Manner.Lying, 10e18);
        }
        vm.startPrank(ALICE);
        gas = gasleft();
        vm.expectPartialRevert(IVault.NotEnoughFreed.selector);
        vault.redeem(50e24, ALICE, ALICE);
        uint256 forUnpaid = gas - gasleft();
        emit log_named_uint("gas to leave while eight burn theirs when read", forUnread);
        emit log_named_uint("gas to learn that eight pay nothing", forUnpaid);
        assertLt(forUnread, 3_000_000);
        assertLt(forUnpaid, 12_000_000);
    }

    function test_strategies_are_asked_in_their_order_after_what_is_here() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 30e18);
        _allocate(second, 30e18);
        vm.startPrank(ALICE);
        vault.withdraw(40e18, ALICE, ALICE);
        assertEq(vault.totalDebt(), 60e18);
        vault.withdraw(35e18, ALICE, ALICE);
        assertEq(vault.debtOf(address(first)), 0);
        assertEq(vault.debtOf(address(second)), 25e18);
        vault.redeem(vault.balanceOf(ALICE), ALICE, ALICE);
        assertEq(vault.totalDebt(), 0);
        assertApproxEqAbs(token.balanceOf(ALICE), 1_000_000e18, 1);
    }

    function test_one_that_pays_too_little_or_nothing_is_passed_over() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        _allocate(second, 50e18);
        first.pay(Manner.Reverting, 0, 0);
        vm.startPrank(ALICE);
        vault.withdraw(20e18, ALICE, ALICE);
        assertEq(vault.debtOf(address(first)), 50e18);
        first.pay(Manner.Honest, 5e18, 0);
        vault.withdraw(20e18, ALICE, ALICE);
        assertEq(vault.debtOf(address(first)), 45e18);
        assertEq(vault.debtOf(address(second)), 15e18);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotEnoughFreed.selector, 20e18, 30e18));
        vault.withdraw(30e18, ALICE, ALICE);
        vault.withdraw(20e18, ALICE, ALICE);
        vm.stopPrank();
    }

    function test_what_a_strategy_pays_beyond_what_was_asked_is_profit_and_locked() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        token.transfer(address(first), 10e18);
        first.pay(Manner.Honest, type(uint256).max, 10e18);
        vm.prank(OPERATOR);
        assertEq(vault.free(address(first), 20e18), 30e18);
        assertEq(vault.debtOf(address(first)), 30e18);
        assertEq(vault.totalAssets(), 100e18);
        assertEq(vault.lockedProfit(), 10e18);
    }

    function test_a_strategy_cannot_come_back_in_while_it_is_asked_to_pay() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        token.transfer(address(first), 1e18);
        bytes[6] memory calls = [
            abi.encodeWithSignature("deposit(uint256,address)", 0, address(first)),
            abi.encodeWithSignature("redeem(uint256,address,address)", 0, address(first), address(first)),
            abi.encodeWithSignature("withdraw(uint256,address,address)", 0, address(first), address(first)),
            abi.encodeCall(IVault.harvest, (address(first))),
            abi.encodeCall(IVault.free, (address(first), 0)),
            abi.encodeCall(IVault.allocate, (address(first), 0))
        ];
        for (uint256 i; i < calls.length; ++i) {
            first.whenAsked(address(vault), calls[i]);
            assertEq(vault.harvest(address(first)), 0);
        }
        first.whenAsked(address(vault), abi.encodeCall(IVault.strategies, ()));
        assertEq(vault.harvest(address(first)), 1e18);
    }

    function test_anybody_fetches_a_gain_and_it_is_locked_first() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        assertEq(vault.harvest(address(first)), 0);
        token.transfer(address(first), 10e18);
        assertEq(vault.totalAssets(), 100e18);
        vm.expectEmit(address(vault));
        emit IVault.Harvested(address(first), 10e18, 0.6e24, 0.4e24);
        vm.prank(MALLORY);
        assertEq(vault.harvest(address(first)), 10e18);
        assertEq(vault.debtOf(address(first)), 50e18);
        assertEq(vault.lockedProfit(), 9e18);
        assertEq(vault.totalAssets(), 101e18);
        skip(7 days);
        assertEq(vault.lockedProfit(), 0);
        assertEq(vault.totalAssets(), 110e18);
    }

    function test_a_gain_is_what_arrives_and_not_what_was_said() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.answer(Manner.Lying, 1_000e18);
        first.pay(Manner.Honest, 3e18, 0);
        assertEq(vault.harvest(address(first)), 3e18);
        first.pay(Manner.Reverting, 0, 0);
        assertEq(vault.harvest(address(first)), 0);
    }

    function test_a_vault_without_fee_takes_none() public {
        _use(new Vault(token, "V", "V", OWNER, 0, 0));
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        _earnAndWait(first, 50e18);
        assertEq(vault.totalSupply(), vault.balanceOf(ALICE));
    }

    function test_locked_profit_makes_up_for_a_loss_first() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        token.transfer(address(vault), 10e18);
        _deposit(BOB, 0);
        first.lose(NOWHERE, 4e18);
        assertEq(vault.totalAssets(), 100e18);
        first.lose(NOWHERE, 10e18);
        assertEq(vault.totalAssets(), 96e18);
    }

    function test_asset_that_vanishes_from_the_vault_itself_is_a_loss_at_once() public {
        _deposit(ALICE, 100e18);
        token.transfer(address(vault), 10e18);
        _deposit(BOB, 0);
        deal(address(token), address(vault), 104e18);
        assertEq(vault.entryAssets(), 100e18);
        _deposit(BOB, 0);
        assertEq(vault.lockedProfit(), 4e18);
        deal(address(token), address(vault), 90e18);
        _deposit(BOB, 0);
        assertEq(vault.entryAssets(), 90e18);
        assertEq(vault.totalAssets(), 90e18);
        assertEq(vault.lockedProfit(), 0);
    }

    function test_a_loss_is_written_off_by_the_owner_after_notice() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IVault.NothingLost.selector, address(first)));
        vault.announceLoss(address(first));
        vm.expectRevert(abi.encodeWithSelector(IVault.LossNotAnnounced.selector, address(first)));
        vault.writeOff(address(first));

        first.lose(NOWHERE, 20e18);
        vm.expectEmit(address(vault));
        emit IVault.LossAnnounced(address(first), 20e18, block.timestamp + 14 days);
        vault.announceLoss(address(first));
        skip(14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.NoticeRunning.selector, block.timestamp + 1));
        vault.writeOff(address(first));
        skip(1);
        assertEq(vault.entryAssets(), 100e18);
        vm.expectEmit(address(vault));
        emit IVault.LossWrittenOff(address(first), 20e18);
        vault.writeOff(address(first));
        assertEq(vault.entryAssets(), 80e18);
        assertEq(vault.totalAssets(), 80e18);
        assertEq(vault.debtOf(address(first)), 30e18);
        vm.expectRevert(abi.encodeWithSelector(IVault.LossNotAnnounced.selector, address(first)));
        vault.writeOff(address(first));
        vm.stopPrank();
    }

    function test_no_more_is_written_off_than_is_missing_then_and_was_announced() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.answer(Manner.Lying, 10e18);
        vm.startPrank(OWNER);
        vault.announceLoss(address(first));
        skip(14 days);
        first.answer(Manner.Lying, 45e18);
        uint256 snapshot = vm.snapshotState();
        vault.writeOff(address(first));
        assertEq(vault.debtOf(address(first)), 45e18);
        vm.revertToState(snapshot);
        first.answer(Manner.Lying, 0);
        vault.writeOff(address(first));
        assertEq(vault.debtOf(address(first)), 10e18);
        vm.stopPrank();
    }

    function test_a_written_off_loss_that_returns_is_profit_without_a_fee() public {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.answer(Manner.Lying, 0);
        vm.startPrank(OWNER);
        vault.announceLoss(address(first));
        skip(14 days);
        vault.writeOff(address(first));
        vm.stopPrank();
        first.answer(Manner.Honest, 0);
        assertEq(vault.totalAssets(), 50e18);
        assertEq(vault.harvest(address(first)), 50e18);
        skip(7 days);
        assertEq(vault.totalAssets(), 100e18);
        assertEq(vault.totalSupply(), vault.balanceOf(ALICE));
    }

    /// @dev A loses 50 of what B earned 100 on: the fee is on 50. What A regains later is never charged, only what arrives.
    function test_the_fee_counts_all_strategies_together() public {
        _deposit(ALICE, 200e18);
        _allocate(first, 100e18);
        _allocate(second, 100e18);
        first.lose(NOWHERE, 50e18);
        _earn(second, 100e18);
        assertEq(vault.balanceOf(OWNER) + vault.balanceOf(address(locker)), 5e24);
        token.transfer(address(first), 50e18);
        _earn(second, 10e18);
        assertEq(vault.totalSupply() - vault.balanceOf(ALICE), 6e24);
    }

    function test_a_token_that_keeps_a_part_of_a_transfer_is_refused() public {
        FeeToken keeping = new FeeToken("F", "F", 100e18, 100);
        Vault ofKeeping = new Vault(keeping, "V", "V", OWNER, 0, 0);
        keeping.approve(address(ofKeeping), 10e18);
        vm.expectRevert(abi.encodeWithSelector(IVault.AssetKeptSome.selector, 9.9e18, 10e18));
        ofKeeping.deposit(10e18, ALICE);
    }

    function test_a_deposit_too_small_for_one_share_is_refused() public {
        _deposit(ALICE, 1);
        token.transfer(address(vault), 100e18);
        _deposit(ALICE, 0);
        skip(7 days);
        vm.expectRevert(abi.encodeWithSelector(IVault.DepositBuysNothing.selector, 1));
        _deposit(BOB, 1);
    }

    function _eight() private returns (StrategyDouble[] memory all) {
        all = new StrategyDouble[](8);
        (all[0], all[1]) = (first, second);
        for (uint256 i = 2; i < 8; ++i) {
            all[i] = new StrategyDouble(address(vault), token);
            vm.prank(OWNER);
            vault.setCap(address(all[i]), CAP);
        }
        skip(14 days);
        for (uint256 i; i < 8; ++i) {
            _allocate(all[i], 10e18);
        }
    }
}
