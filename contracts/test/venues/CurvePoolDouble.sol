// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice Called and paid as a pool of Curve is, by either width of index, over its coins or over other coins beneath; the
/// narrow call returns nothing, as old pools do. Its price is fixed, its fee 4 bps: it proves nothing about real pools.
contract CurvePoolDouble {
    using SafeERC20 for IERC20;

    error CoinUnknown(uint256 index);
    error OutputBelowMinimum(uint256 amountOut, uint256 amountOutMin);

    uint256 private constant BPS = 10_000;
    uint256 private constant FEE_BPS = 4;

    IERC20[] public coins;
    IERC20[] public underlying_coins;
    mapping(IERC20 => uint256) private price;

    constructor(IERC20[] memory newCoins, uint256[] memory prices) {
        for (uint256 i; i < newCoins.length; ++i) {
            coins.push(newCoins[i]);
            underlying_coins.push(newCoins[newCoins.length - 1 - i]);
            price[newCoins[i]] = prices[i];
        }
    }

    function exchange(int128 i, int128 j, uint256 dx, uint256 dyMin) external {
        _exchange(coins, uint128(i), uint128(j), dx, dyMin);
    }

    function exchange(uint256 i, uint256 j, uint256 dx, uint256 dyMin) external returns (uint256) {
        return _exchange(coins, i, j, dx, dyMin);
    }

    function exchange_underlying(int128 i, int128 j, uint256 dx, uint256 dyMin) external returns (uint256) {
        return _exchange(underlying_coins, uint128(i), uint128(j), dx, dyMin);
    }

    function _exchange(IERC20[] storage counted, uint256 i, uint256 j, uint256 dx, uint256 dyMin)
        private
        returns (uint256 dy)
    {
        if (i >= counted.length) revert CoinUnknown(i);
        if (j >= counted.length) revert CoinUnknown(j);
        counted[i].safeTransferFrom(msg.sender, address(this), dx);
        dy = dx * price[counted[i]] / price[counted[j]] * (BPS - FEE_BPS) / BPS;
        if (dy < dyMin) revert OutputBelowMinimum(dy, dyMin);
        counted[j].safeTransfer(msg.sender, dy);
    }
}
