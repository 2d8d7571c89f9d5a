// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {BalanceGuard} from "../src/BalanceGuard.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {IWrappedNative} from "../src/interfaces/IWrappedNative.sol";

/// @notice The guard by itself, called in orders in which no plan can call it.
contract BalanceGuardTest is BalanceGuard(IWrappedNative(address(0xEEEE))), Test {
    address private constant VENUE = address(0xFA1);

    DevToken private token;

    function setUp() public {
        token = new DevToken("A", "A", 18, 100);
    }

    function test_a_token_that_is_not_guarded_is_neither_paid_nor_granted() public {
        bytes memory refusal = abi.encodeWithSelector(TokenNotGuarded.selector, token);
        vm.expectRevert(refusal);
        this.pay(1);
        vm.expectRevert(refusal);
        this.grant(1);
        vm.expectRevert(refusal);
        this.requireGain(0);
    }

    function test_a_token_is_counted_once_whatever_comes_and_goes() public {
        assertEq(_guard(token), 100);
        _pay(token, VENUE, 40);
        assertEq(_guard(token), 60, "what is here now");
        vm.expectRevert(abi.encodeWithSelector(BalanceFell.selector, token, 100, 60));
        this.requireKept();
        vm.expectRevert(abi.encodeWithSelector(ProfitBelowMinimum.selector, int256(-40), 0));
        this.requireGain(0);
    }

    function test_a_guard_that_ended_lets_nothing_more_be_spent() public {
        _guard(token);
        _requireKept(token);
        vm.expectRevert(abi.encodeWithSelector(TokenNotGuarded.selector, token));
        this.pay(1);
        _requireKept(token);
    }

    function test_a_token_of_which_nothing_is_held_is_guarded_too() public {
        token.transfer(VENUE, 100);
        _guard(token);
        vm.prank(VENUE);
        token.transfer(address(this), 7);
        _pay(token, VENUE, 6);
        assertEq(_requireGain(token, 1), 1);
    }

    function test_a_gain_is_never_negative_before_the_end() public {
        _guard(token);
        assertEq(_gainSoFar(token), 0);
        _pay(token, VENUE, 1);
        assertEq(_gainSoFar(token), 0);
        vm.prank(VENUE);
        token.transfer(address(this), 1);
        token.transfer(VENUE, 0);
        assertEq(_gainSoFar(token), 0);
    }

    function test_an_allowance_that_is_left_is_told() public {
        _guard(token);
        _grant(token, VENUE, 5);
        vm.prank(VENUE);
        token.transferFrom(address(this), VENUE, 4);
        vm.expectRevert(abi.encodeWithSelector(AllowanceLeft.selector, token, VENUE, 1));
        this.requireSpent();
    }

    function pay(uint256 amount) external {
        _pay(token, VENUE, amount);
    }

    function grant(uint256 amount) external {
        _grant(token, VENUE, amount);
    }

    function requireGain(uint256 gainMin) external {
        _requireGain(token, gainMin);
    }

    function requireKept() external {
        _requireKept(token);
    }

    function requireSpent() external view {
        _requireSpent(token, VENUE);
    }
}
