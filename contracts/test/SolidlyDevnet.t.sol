// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {SolidlyDevFactory} from "../src/devnet/SolidlyDevFactory.sol";
import {SolidlyDevPair} from "../src/devnet/SolidlyDevPair.sol";

/// @notice The devnet's pairs of Solidly's form keep their own promises: to pay what they quote, and no more than k allows.
contract SolidlyDevnetTest is Test {
    uint256 private constant RESERVE = 1_000_000;
    uint256 private constant K_SLACK = 1e6;

    DevToken private six = new DevToken("Six", "SIX", 6, type(uint128).max);
    DevToken private eighteen = new DevToken("Eighteen", "EIGHTEEN", 18, type(uint128).max);

    function testFuzz_a_later_pair_pays_its_own_quote(uint256 amountIn, bool stable) public {
        SolidlyDevPair pair = _pair(true, stable);
        amountIn = bound(amountIn, 1e3, 100 * RESERVE * 1e6);
        uint256 quoted = pair.getAmountOut(amountIn, address(six));
        six.transfer(address(pair), amountIn);
        _swap(pair, quoted);
        assertEq(six.balanceOf(address(pair.factory())), amountIn * (stable ? 5 : 30) / 10_000, "the fee has left");
    }

    function testFuzz_a_pair_does_not_pay_much_more_than_it_quotes(uint256 amountIn, bool later) public {
        SolidlyDevPair pair = _pair(later, true);
        amountIn = bound(amountIn, 1e3, RESERVE * 1e6);
        uint256 beyond = pair.getAmountOut(amountIn, address(six)) + K_SLACK;
        six.transfer(address(pair), amountIn);
        (uint256 out0, uint256 out1) = _outs(pair, beyond);
        vm.expectRevert(SolidlyDevPair.K.selector);
        pair.swap(out0, out1, address(this), "");
    }

    function test_what_no_pair_pays_is_refused() public {
        SolidlyDevPair pair = _pair(true, false);
        vm.expectRevert(SolidlyDevPair.InsufficientOutputAmount.selector);
        pair.swap(0, 0, address(this), "");
        vm.expectRevert(SolidlyDevPair.InsufficientLiquidity.selector);
        pair.swap(type(uint128).max, 0, address(this), "");
        (uint256 out0, uint256 out1) = _outs(pair, 1);
        vm.expectRevert(SolidlyDevPair.InsufficientInputAmount.selector);
        pair.swap(out0, out1, address(this), "");
        pair.factory().setPaused(true);
        vm.expectRevert(SolidlyDevPair.IsPaused.selector);
        pair.swap(out0, out1, address(this), "");
    }

    function test_each_kind_answers_for_its_own_functions_alone() public {
        SolidlyDevPair first = _pair(false, true);
        SolidlyDevPair later = _pair(true, true);
        vm.expectRevert(SolidlyDevPair.NoSuchFunction.selector);
        first.poolFees();
        assertEq(later.poolFees(), address(later.factory()));
        SolidlyDevFactory factory = later.factory();
        vm.expectRevert(SolidlyDevFactory.NoSuchFunction.selector);
        factory.getFee(true);
        factory.setCustomFee(address(later), 7);
        assertEq(factory.getFee(address(later), true), 7);
    }

    function _pair(bool later, bool stable) private returns (SolidlyDevPair pair) {
        SolidlyDevFactory factory = new SolidlyDevFactory(later);
        pair = SolidlyDevPair(factory.createPair(address(six), address(eighteen), stable));
        six.transfer(address(pair), RESERVE * 1e6);
        eighteen.transfer(address(pair), RESERVE * 1e18);
        pair.mint(address(this));
    }

    function _swap(SolidlyDevPair pair, uint256 amountOut) private {
        uint256 before = eighteen.balanceOf(address(this));
        (uint256 out0, uint256 out1) = _outs(pair, amountOut);
        pair.swap(out0, out1, address(this), "");
        assertEq(eighteen.balanceOf(address(this)) - before, amountOut);
    }

    /// @dev Of eighteen, in the pair's order.
    function _outs(SolidlyDevPair pair, uint256 amountOut) private view returns (uint256, uint256) {
        return pair.token0() == address(eighteen) ? (amountOut, uint256(0)) : (uint256(0), amountOut);
    }
}
