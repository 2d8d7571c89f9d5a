// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Manner, StrategyDouble} from "./StrategyDouble.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice What must hold of a vault, each as a function that reverts if it does not. The tests call them on the vault, and
/// on mutants of it, which must not pass.
abstract contract VaultProperties is VaultFixture {
    /// @dev 1 unit deposited, 100 tokens donated, 60 deposited by the victim. With one virtual share instead of a million
    /// the victim loses 6.7 tokens; with a million 0.00003, and the attacker about half the donation.
    function inflating_the_first_share_costs_the_attacker() external {
        _deposit(MALLORY, 1);
        vm.prank(MALLORY);
        token.transfer(address(vault), 100e18);
        _deposit(MALLORY, 0); // the vault takes note, and the donation begins to be released
        skip(vault.RELEASE_PERIOD());

        _deposit(ALICE, 60e18);
        uint256 stolen = 60e18 - _redeemAll(ALICE);
        uint256 recovered = _redeemAll(MALLORY);
        emit log_named_decimal_uint("the victim lost", stolen, 18);
        emit log_named_decimal_uint("the attacker lost", 100e18 + 1 - recovered, 18);
        assertLt(stolen, 60e18 / 1e6);
        assertLt(recovered, 51e18);
    }

    function nobody_gains_by_coming_just_before_a_profit() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 100e18);
        _deposit(MALLORY, 900e18);
        _earn(first, 50e18);
        token.transfer(address(vault), 50e18);
        assertLe(_redeemAll(MALLORY), 900e18);
    }

    /// @dev At an awkward price, amounts of every size, each way in with each way out. The price of those who stay never falls.
    function no_rounding_is_in_favour_of_the_caller() external {
        _deposit(ALICE, 7e18);
        _allocate(first, 7e18);
        _earnAndWait(first, 5e18 + 12_345);
        for (uint256 assets = 1; assets < 1e24; assets = assets * 3 + 1) {
            uint256 price = _entryPrice();
            uint256 shares = _deposit(MALLORY, assets);
            price = _requireNotBelow(price);
            assertLe(_redeem(MALLORY, shares), assets);
            price = _requireNotBelow(price);

            vm.startPrank(MALLORY);
            uint256 paid = vault.mint(shares, MALLORY);
            price = _requireNotBelow(price);
            uint256 out = vault.previewRedeem(shares);
            assertLe(out, paid);
            vault.withdraw(out, MALLORY, MALLORY);
            vm.stopPrank();
            price = _requireNotBelow(price);
            _redeemAll(MALLORY);
            _requireNotBelow(price);
        }
    }

    function _requireNotBelow(uint256 price) private view returns (uint256 newPrice) {
        newPrice = _entryPrice();
        assertGe(newPrice, price, "who stays has paid for a rounding");
    }

    function who_leaves_takes_a_fair_part_of_a_loss() external {
        _deposit(ALICE, 100e18);
        _deposit(BOB, 300e18);
        _allocate(first, 100e18);
        _allocate(second, 200e18);
        first.lose(NOWHERE, 40e18);
        second.lose(NOWHERE, 40e18);

        uint256 entryPrice = _entryPrice();
        assertApproxEqAbs(_redeemAll(ALICE), 80e18, 1e12);
        assertApproxEqAbs(vault.previewRedeem(vault.balanceOf(BOB)), 240e18, 1e12);
        assertApproxEqRel(_entryPrice(), entryPrice, 1e6);
        assertGe(_entryPrice(), entryPrice);
        assertApproxEqAbs(_redeemAll(BOB), 240e18, 1e12);
    }

    /// @dev A thief who can make a strategy look empty for a moment deposits in that moment.
    function a_strategy_that_looks_poor_for_a_moment_sells_nothing_cheaply() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 90e18);
        first.answer(Manner.Lying, 0);
        _deposit(MALLORY, 1_000e18);
        first.answer(Manner.Honest, 0);
        assertLe(_redeemAll(MALLORY), 1_000e18);
        skip(vault.RELEASE_PERIOD());
        assertGe(vault.previewRedeem(vault.balanceOf(ALICE)), 100e18 - 1);
    }

    function a_strategy_that_boasts_adds_nothing() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.answer(Manner.Lying, type(uint256).max);
        assertEq(vault.totalAssets(), 100e18);
        assertEq(vault.entryAssets(), 100e18);
        assertLe(_redeem(ALICE, vault.balanceOf(ALICE) / 4), 25e18);
    }

    function the_fee_is_what_was_agreed() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 100e18);
        _earnAndWait(first, 50e18);
        uint256 ofOwner = vault.previewRedeem(vault.balanceOf(OWNER));
        uint256 ofLocker = vault.previewRedeem(vault.balanceOf(address(locker)));
        assertLe(vault.feeBps(), vault.FEE_BPS_MAX());
        // the fee bought shares when it was taken, and earns with them since
        assertApproxEqRel(ofOwner + ofLocker, uint256(750e18) / 105, 0.001e18);
        assertApproxEqRel(ofLocker, (ofOwner + ofLocker) * LOCKER_BPS / BPS, 0.001e18);
    }

    function losses_are_earned_back_before_there_is_a_fee() external {
        _deposit(ALICE, 200e18);
        _allocate(first, 100e18);
        _allocate(second, 100e18);
        first.lose(NOWHERE, 60e18);
        _earnAndWait(second, 60e18);
        assertEq(vault.totalSupply(), vault.balanceOf(ALICE), "a fee was taken while below the start");

        vm.prank(OWNER);
        vault.announceLoss(address(first));
        skip(vault.NOTICE());
        vm.prank(OWNER);
        vault.writeOff(address(first));
        _earnAndWait(first, 20e18);
        uint256 fee = vault.previewRedeem(vault.totalSupply() - vault.balanceOf(ALICE));
        assertApproxEqRel(fee, 2e18, 0.1e18);
    }

    /// @dev Every amount of gas: the call fails, or pays the whole.
    function too_little_gas_never_makes_a_strategy_look_empty() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.answer(Manner.PoorWithLittleGas, 0);
        uint256 shares = vault.balanceOf(ALICE) / 10;
        uint256 paid;
        for (uint256 gas = 20_000; gas < 500_000; gas += 1_000) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(ALICE);
            try vault.redeem{gas: gas}(shares, ALICE, ALICE) returns (uint256 assets) {
                assertEq(assets, 10e18);
                ++paid;
            } catch {}
            vm.revertToState(snapshot);
        }
        assertGt(paid, 100);
    }

    function a_loss_above_the_stated_maximum_is_refused() external {
        _deposit(ALICE, 100e18);
        _allocate(first, 50e18);
        first.lose(NOWHERE, 1e18);
        bytes memory refusal =
            abi.encodeWithSelector(IVault.LossAboveMaximum.selector, uint256(100e18), uint256(99e18), uint256(99));
        vm.startPrank(ALICE);
        vm.expectRevert(refusal);
        vault.redeem(1e18, ALICE, ALICE, 99);
        vm.expectRevert(refusal);
        vault.withdraw(1e18, ALICE, ALICE, 99);
        vm.expectRevert(refusal);
        vault.deposit(1e18, ALICE, 99);
        vault.redeem(1e18, ALICE, ALICE, 100);
        vault.withdraw(1e18, ALICE, ALICE, 101); // what is given up was rounded down
        vault.deposit(1e18, ALICE, 101);
        vm.stopPrank();
    }

    function nothing_goes_to_a_strategy_before_its_notice_has_run() external {
        StrategyDouble third = new StrategyDouble(address(vault), token);
        _deposit(ALICE, 100e18);
        vm.prank(OWNER);
        vault.setCap(address(third), 50e18);
        skip(vault.NOTICE() - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.CapExceeded.selector, address(third), 1, 0));
        vm.prank(OPERATOR);
        vault.allocate(address(third), 1);
        skip(1);
        _allocate(third, 50e18);
        vm.expectRevert(abi.encodeWithSelector(IVault.CapExceeded.selector, address(third), 50e18 + 1, 50e18));
        vm.prank(OPERATOR);
        vault.allocate(address(third), 1);
    }

    /// @dev Half of a week's profit is in the price after half a week.
    function profit_is_released_evenly() external {
        _deposit(ALICE, 100e18);
        token.transfer(address(vault), 70e18);
        _deposit(BOB, 1);
        assertApproxEqAbs(vault.totalAssets(), 100e18, 2);
        for (uint256 day = 1; day <= 8; ++day) {
            skip(1 days);
            assertApproxEqAbs(vault.totalAssets(), 100e18 + (day < 7 ? day : 7) * 10e18, 2);
        }
    }
}
