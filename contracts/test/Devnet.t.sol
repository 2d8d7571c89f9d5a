// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {FeeToken} from "../src/devnet/FeeToken.sol";
import {NoDecimalsToken} from "../src/devnet/NoDecimalsToken.sol";
import {PriceFeed} from "../src/devnet/PriceFeed.sol";

contract DevnetTest is Test {
    address private constant OTHER = address(0xC1);

    function test_a_token_has_its_decimals_and_gives_its_supply_to_the_deployer() public {
        DevToken token = new DevToken("Dollar", "USD", 6, 1000);
        assertEq(token.name(), "Dollar");
        assertEq(token.symbol(), "USD");
        assertEq(token.decimals(), 6);
        assertEq(token.balanceOf(address(this)), 1000);
    }

    function test_a_fee_token_arrives_short() public {
        FeeToken token = new FeeToken("Fee", "FEE", 1000, 250);
        token.transfer(OTHER, 200);
        assertEq(token.balanceOf(address(this)), 800);
        assertEq(token.balanceOf(OTHER), 195);
        assertEq(token.totalSupply(), 995);
    }

    function test_a_fee_above_everything_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(FeeToken.FeeOutOfRange.selector, 10_001));
        new FeeToken("Fee", "FEE", 1000, 10_001);
    }

    function test_a_token_without_decimals_moves_and_does_not_answer() public {
        NoDecimalsToken token = new NoDecimalsToken(1000);
        token.transfer(OTHER, 10);
        token.approve(OTHER, 5);
        vm.prank(OTHER);
        token.transferFrom(address(this), OTHER, 5);
        assertEq(token.balanceOf(OTHER), 15);
        (bool isAnswered,) = address(token).call(abi.encodeCall(DevToken.decimals, ()));
        assertFalse(isAnswered);
    }

    function test_a_price_is_set_by_its_owner_in_rounds() public {
        vm.warp(1000);
        PriceFeed feed = new PriceFeed(8, "ETH / USD", 2000e8);
        vm.warp(1012);
        vm.expectEmit(address(feed));
        emit PriceFeed.AnswerUpdated(1900e8, 2, 1012);
        feed.set(1900e8);

        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) =
            feed.latestRoundData();
        assertEq(feed.latestAnswer(), 1900e8);
        assertEq(answer, 1900e8);
        assertEq(abi.encode(roundId, startedAt, updatedAt, answeredInRound), abi.encode(2, 1012, 1012, 2));
        (, answer,, updatedAt,) = feed.getRoundData(1);
        assertEq(answer, 2000e8);
        assertEq(updatedAt, 1000);
    }

    function test_a_price_is_not_set_by_others_and_an_unknown_round_has_none() public {
        PriceFeed feed = new PriceFeed(8, "ETH / USD", 2000e8);
        vm.expectRevert(abi.encodeWithSelector(PriceFeed.RoundUnknown.selector, 2));
        feed.getRoundData(2);
        vm.expectRevert(abi.encodeWithSelector(PriceFeed.NotOwner.selector, OTHER));
        vm.prank(OTHER);
        feed.set(1);
    }
}
