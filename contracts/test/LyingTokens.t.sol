// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {FalseToken} from "../src/devnet/FalseToken.sol";
import {HookToken} from "../src/devnet/HookToken.sol";
import {NoReturnToken} from "../src/devnet/NoReturnToken.sol";
import {RebasingToken} from "../src/devnet/RebasingToken.sol";
import {ShiftingToken} from "../src/devnet/ShiftingToken.sol";
import {StagedToken, Tell} from "../src/devnet/StagedToken.sol";
import {Tolled, TollToken} from "../src/devnet/TollToken.sol";
import {TrapToken} from "../src/devnet/TrapToken.sol";

contract Receiver {
    uint256 public calls;

    function tokensReceived(address, uint256) external {
        ++calls;
    }
}

/// @notice Every token of the local chain that lies tells exactly its own lie.
contract LyingTokensTest is Test {
    address private constant MARKET = address(0xFA1);
    address private constant BUYER = address(0xB0B);
    uint256 private constant SUPPLY = 1e24;
    uint256 private constant AMOUNT = 1e18;

    function test_a_toll_is_taken_of_buys_alone_of_sales_alone_or_of_both() public {
        assertEq(_arrivedOfBuyAndSale(Tolled.Buys), abi.encode(AMOUNT * 98 / 100, AMOUNT / 2));
        assertEq(_arrivedOfBuyAndSale(Tolled.Sales), abi.encode(AMOUNT, AMOUNT / 2 * 98 / 100));
        assertEq(_arrivedOfBuyAndSale(Tolled.Both), abi.encode(AMOUNT * 98 / 100, AMOUNT / 2 * 98 / 100));
    }

    function test_a_toll_is_taken_from_its_size_on_and_at_markets_only() public {
        TollToken token = new TollToken(SUPPLY, Tolled.Both, 200, AMOUNT);
        token.addMarket(MARKET);
        token.transfer(MARKET, AMOUNT - 1);
        assertEq(token.balanceOf(MARKET), AMOUNT - 1);
        token.transfer(BUYER, 5 * AMOUNT);
        assertEq(token.balanceOf(BUYER), 5 * AMOUNT);
        token.transfer(MARKET, AMOUNT);
        assertEq(token.balanceOf(MARKET), AMOUNT - 1 + AMOUNT * 98 / 100);
    }

    function test_a_rebasing_balance_grows_without_a_transfer() public {
        RebasingToken token = new RebasingToken(SUPPLY, 100);
        token.transfer(BUYER, AMOUNT);
        assertEq(token.balanceOf(BUYER), AMOUNT);
        skip(2 hours);
        assertEq(token.balanceOf(BUYER), AMOUNT + AMOUNT * 200 / 1e6);
        vm.prank(BUYER);
        token.transfer(MARKET, AMOUNT);
        assertGe(token.balanceOf(MARKET), AMOUNT - 1);
    }

    function test_a_trap_can_be_bought_and_from_its_block_on_only_its_owner_sells() public {
        TrapToken token = new TrapToken(SUPPLY, 100);
        token.addMarket(MARKET);
        token.transfer(MARKET, AMOUNT);
        vm.prank(MARKET);
        token.transfer(BUYER, AMOUNT);
        vm.roll(99);
        vm.prank(BUYER);
        token.transfer(MARKET, 1);
        vm.roll(100);
        vm.expectRevert(abi.encodeWithSelector(TrapToken.SaleBlocked.selector, BUYER));
        vm.prank(BUYER);
        token.transfer(MARKET, 1);
        token.transfer(MARKET, 1);
    }

    function test_a_false_token_moves_and_denies_it() public {
        FalseToken token = new FalseToken(SUPPLY);
        assertTrue(token.transfer(BUYER, 1));
        token.lieFromNowOn();
        assertFalse(token.transfer(BUYER, 1));
        token.approve(address(this), 1);
        assertFalse(token.transferFrom(address(this), BUYER, 1));
        assertEq(token.balanceOf(BUYER), 3);
    }

    function test_a_silent_token_moves_and_answers_nothing() public {
        NoReturnToken token = new NoReturnToken(SUPPLY);
        (bool isMoved, bytes memory answer) = address(token).call(abi.encodeCall(token.transfer, (BUYER, 1)));
        assertTrue(isMoved);
        assertEq(answer.length, 0);
        assertEq(token.balanceOf(BUYER), 1);
    }

    function test_shifting_decimals_are_others_an_hour_later() public {
        ShiftingToken token = new ShiftingToken(SUPPLY);
        vm.warp(0);
        assertEq(token.decimals(), 18);
        vm.warp(1 hours);
        assertEq(token.decimals(), 12);
    }

    function test_a_hook_is_called_on_receivers_that_have_code() public {
        HookToken token = new HookToken(SUPPLY);
        Receiver receiver = new Receiver();
        token.transfer(address(receiver), 1);
        assertEq(receiver.calls(), 1);
        token.transfer(BUYER, 1);
        token.transfer(address(token), 1);
        assertEq(token.balanceOf(BUYER) + token.balanceOf(address(token)), 2);
    }

    function test_a_staged_token_behaves_while_it_is_watched() public {
        vm.coinbase(address(1));
        vm.txGasPrice(1);
        vm.fee(1);
        for (uint8 i; i <= uint8(type(Tell).max); ++i) {
            StagedToken token = new StagedToken(SUPPLY, Tell(i));
            token.transfer(BUYER, AMOUNT);
            assertEq(_arrivedFromBuyer(token), AMOUNT / 2 * 95 / 100);
            if (Tell(i) == Tell.Coinbase) vm.coinbase(address(0));
            if (Tell(i) == Tell.GasPrice) vm.txGasPrice(0);
            if (Tell(i) == Tell.BaseFee) vm.fee(0);
            assertTrue(token.isWatched());
            assertEq(_arrivedFromBuyer(token), AMOUNT / 2);
        }
    }

    function test_only_the_owner_names_markets_and_begins_to_lie() public {
        TollToken toll = new TollToken(SUPPLY, Tolled.Both, 200, 0);
        TrapToken trap = new TrapToken(SUPPLY, 0);
        FalseToken lie = new FalseToken(SUPPLY);
        vm.startPrank(BUYER);
        vm.expectRevert(abi.encodeWithSelector(TollToken.NotOwner.selector, BUYER));
        toll.addMarket(MARKET);
        vm.expectRevert(abi.encodeWithSelector(TrapToken.NotOwner.selector, BUYER));
        trap.addMarket(MARKET);
        vm.expectRevert(abi.encodeWithSelector(FalseToken.NotOwner.selector, BUYER));
        lie.lieFromNowOn();
    }

    function _arrivedOfBuyAndSale(Tolled tolled) private returns (bytes memory) {
        TollToken token = new TollToken(SUPPLY, tolled, 200, 0);
        token.transfer(MARKET, AMOUNT);
        token.addMarket(MARKET);
        vm.prank(MARKET);
        token.transfer(BUYER, AMOUNT);
        uint256 bought = token.balanceOf(BUYER);
        vm.prank(BUYER);
        token.transfer(MARKET, AMOUNT / 2);
        return abi.encode(bought, token.balanceOf(MARKET));
    }

    function _arrivedFromBuyer(StagedToken token) private returns (uint256) {
        uint256 before = token.balanceOf(MARKET);
        vm.prank(BUYER);
        token.transfer(MARKET, AMOUNT / 2);
        return token.balanceOf(MARKET) - before;
    }
}
