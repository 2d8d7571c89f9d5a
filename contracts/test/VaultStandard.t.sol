// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {VaultFixture} from "./vault/VaultFixture.sol";

/// @notice What ERC-4626 demands, in vaults that have earned and lost: the list of its properties, one test each.
contract VaultStandardTest is VaultFixture {
    uint256 private constant AMOUNT_MAX = 1_000e18;

    struct Past {
        uint256 ofAlice;
        uint256 ofBob;
        uint256 allocated;
        uint256 profit;
        uint256 loss;
        uint256 waited;
    }

    modifier after_(Past memory past) {
        past.ofAlice = bound(past.ofAlice, 1e6, AMOUNT_MAX);
        past.ofBob = bound(past.ofBob, 1e6, AMOUNT_MAX);
        _deposit(ALICE, past.ofAlice);
        _deposit(BOB, past.ofBob);
        past.allocated = bound(past.allocated, 0, past.ofAlice);
        _allocate(first, past.allocated);
        _earn(first, bound(past.profit, 0, AMOUNT_MAX));
        first.lose(NOWHERE, bound(past.loss, 0, past.allocated));
        skip(bound(past.waited, 0, 8 days));
        _;
    }

    function test_the_metadata_is_that_of_the_asset_with_six_more_decimals() public view {
        assertEq(vault.asset(), address(token));
        assertEq(vault.decimals(), 24);
    }

    function testFuzz_deposit_is_previewed_exactly(Past memory past, uint256 assets) public after_(past) {
        assets = bound(assets, 1e6, AMOUNT_MAX);
        uint256 preview = vault.previewDeposit(assets);
        uint256 before = vault.balanceOf(BOB);
        vm.expectEmit(address(vault));
        emit IERC4626.Deposit(ALICE, BOB, assets, preview);
        vm.prank(ALICE);
        assertEq(vault.deposit(assets, BOB), preview);
        assertEq(vault.balanceOf(BOB) - before, preview);
    }

    function testFuzz_mint_is_previewed_exactly(Past memory past, uint256 shares) public after_(past) {
        shares = bound(shares, 0, 1e6 * AMOUNT_MAX);
        uint256 preview = vault.previewMint(shares);
        uint256 here = token.balanceOf(ALICE);
        uint256 before = vault.balanceOf(BOB);
        vm.prank(ALICE);
        assertEq(vault.mint(shares, BOB), preview);
        assertEq(here - token.balanceOf(ALICE), preview);
        assertEq(vault.balanceOf(BOB) - before, shares);
    }

    function testFuzz_withdraw_is_previewed_exactly(Past memory past, uint256 assets) public after_(past) {
        assets = bound(assets, 0, vault.maxWithdraw(ALICE));
        uint256 preview = vault.previewWithdraw(assets);
        uint256 before = vault.balanceOf(ALICE);
        uint256 here = token.balanceOf(BOB);
        vm.expectEmit(address(vault));
        emit IERC4626.Withdraw(ALICE, BOB, ALICE, assets, preview);
        vm.prank(ALICE);
        assertEq(vault.withdraw(assets, BOB, ALICE), preview);
        assertEq(before - vault.balanceOf(ALICE), preview);
        assertEq(token.balanceOf(BOB) - here, assets);
    }

    function testFuzz_redeem_is_previewed_exactly(Past memory past, uint256 shares) public after_(past) {
        shares = bound(shares, 0, vault.maxRedeem(ALICE));
        uint256 preview = vault.previewRedeem(shares);
        uint256 here = token.balanceOf(BOB);
        vm.prank(ALICE);
        assertEq(vault.redeem(shares, BOB, ALICE), preview);
        assertEq(token.balanceOf(BOB) - here, preview);
    }

    function testFuzz_all_that_is_named_as_the_most_can_be_taken(Past memory past, bool isByShares)
        public
        after_(past)
    {
        assertEq(vault.maxDeposit(ALICE), type(uint256).max);
        assertEq(vault.maxMint(ALICE), type(uint256).max);
        assertEq(vault.maxRedeem(ALICE), vault.balanceOf(ALICE));
        uint256 assetsMax = vault.maxWithdraw(ALICE);
        vm.startPrank(ALICE);
        if (isByShares) assertEq(vault.redeem(vault.maxRedeem(ALICE), ALICE, ALICE), assetsMax);
        else vault.withdraw(assetsMax, ALICE, ALICE);
        vm.stopPrank();
        assertLe(vault.maxWithdraw(ALICE), 1);
        _redeemAll(BOB);
    }

    function testFuzz_converting_does_not_depend_on_who_asks(Past memory past, address caller, uint256 amount)
        public
        after_(past)
    {
        amount = bound(amount, 0, 1e40);
        uint256 shares = vault.convertToShares(amount);
        uint256 assets = vault.convertToAssets(amount);
        vm.startPrank(caller);
        assertEq(vault.convertToShares(amount), shares);
        assertEq(vault.convertToAssets(amount), assets);
        assertGe(shares, vault.previewDeposit(amount));
        assertEq(assets, vault.previewRedeem(amount));
    }

    function testFuzz_in_and_out_gains_nothing(Past memory past, uint256 amount, uint8 way) public after_(past) {
        amount = bound(amount, 1e6, AMOUNT_MAX);
        vm.startPrank(MALLORY);
        uint256 paid = amount;
        uint256 shares = amount;
        if (way & 1 == 0) shares = vault.deposit(amount, MALLORY);
        else paid = vault.mint(amount, MALLORY);
        uint256 out = vault.maxWithdraw(MALLORY);
        if (way & 2 == 0) assertEq(vault.redeem(shares, MALLORY, MALLORY), out);
        else assertLe(vault.withdraw(out, MALLORY, MALLORY), shares);
        assertLe(out, paid);
    }

    function testFuzz_out_and_in_gains_no_shares(Past memory past, uint256 part, uint8 way) public after_(past) {
        vm.startPrank(ALICE);
        uint256 assets = bound(part, 0, vault.maxWithdraw(ALICE));
        uint256 shares = vault.balanceOf(ALICE);
        if (way & 1 == 0) vault.withdraw(assets, ALICE, ALICE);
        else assets = vault.redeem(bound(part, 0, shares), ALICE, ALICE);
        uint256 bought = vault.previewDeposit(assets);
        if (bought == 0) return;
        if (way & 2 == 0) vault.deposit(assets, ALICE);
        else assertLe(vault.mint(bought, ALICE), assets);
        assertLe(vault.balanceOf(ALICE), shares);
    }

    function testFuzz_another_spends_an_allowance_of_shares(Past memory past, uint256 shares, bool isByShares)
        public
        after_(past)
    {
        shares = bound(shares, 1e12, vault.balanceOf(ALICE));
        uint256 assets = vault.previewRedeem(shares);
        uint256 burnt = isByShares ? shares : vault.previewWithdraw(assets);
        vm.startPrank(MALLORY);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, MALLORY, 0, burnt));
        if (isByShares) vault.redeem(shares, MALLORY, ALICE);
        else vault.withdraw(assets, MALLORY, ALICE);
        vm.stopPrank();

        vm.prank(ALICE);
        vault.approve(MALLORY, burnt);
        vm.prank(MALLORY);
        if (isByShares) vault.redeem(shares, MALLORY, ALICE);
        else vault.withdraw(assets, MALLORY, ALICE);
        assertEq(vault.allowance(ALICE, MALLORY), 0);
    }

    function testFuzz_nobody_takes_more_than_they_have(Past memory past, uint256 beyond) public after_(past) {
        beyond = bound(beyond, 1, 1e30);
        uint256 shares = vault.balanceOf(ALICE);
        vm.startPrank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, ALICE, shares, shares + beyond)
        );
        vault.redeem(shares + beyond, ALICE, ALICE);
        uint256 assets = vault.maxWithdraw(ALICE);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientBalance.selector);
        vault.withdraw(assets + 1 + beyond, ALICE, ALICE);
    }
}
