// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {StableSwapPrecisePool} from "./StableSwapPrecisePool.sol";

/// @notice A metapool of the local chain with the interface of Curve's before their factory: a coin beside the token of
/// a base pool, whose price it remembers for ten minutes.
/// @dev It proves nothing about Curve's contracts.
contract StableSwapMetaPool is StableSwapPrecisePool {
    using SafeERC20 for IERC20;

    event TokenExchangeUnderlying(
        address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought
    );

    uint256 private constant CACHE_SECONDS = 600;

    StableSwapPrecisePool public immutable base_pool;
    uint256 private immutable baseCount;
    uint256 public base_virtual_price;
    uint256 public base_cache_updated;

    constructor(address[] memory poolCoins, StableSwapPrecisePool base, uint256 count, uint256 amp, uint256 poolFee)
        StableSwapPrecisePool(poolCoins, amp, poolFee, FEE_DENOMINATOR / 2)
    {
        base_pool = base;
        baseCount = count;
        base_virtual_price = base.get_virtual_price();
        base_cache_updated = block.timestamp;
        for (uint256 k; k < count; ++k) {
            IERC20(base.coins(k)).forceApprove(address(base), type(uint256).max);
        }
    }

    function exchange_underlying(int128 i, int128 j, uint256 dx, uint256 minDy) external returns (uint256 dy) {
        _touch();
        IERC20(_token(i)).safeTransferFrom(msg.sender, address(this), dx);
        dy = i > 0 && j > 0 ? base_pool.exchange(i - 1, j - 1, dx, 0) : _through(i, j, dx);
        if (dy < minDy) revert TooLittle(dy, minDy);
        IERC20(_token(j)).safeTransfer(msg.sender, dy);
        emit TokenExchangeUnderlying(msg.sender, i, dx, j, dy);
    }

    function _through(int128 i, int128 j, uint256 dx) private returns (uint256 dy) {
        (int128 from, int128 to) = i > 0 ? (int128(1), int128(0)) : (int128(0), int128(1));
        if (i > 0) {
            uint256[] memory amounts = new uint256[](baseCount);
            amounts[uint128(i) - 1] = dx;
            dx = base_pool.add_liquidity(amounts, 0);
        }
        uint256 adminFees;
        (dy, adminFees) = _exchange(from, to, dx);
        balances[uint128(from)] += dx;
        balances[uint128(to)] -= dy + adminFees;
        if (j > 0) dy = base_pool.remove_liquidity_one_coin(dy, j - 1, 0);
    }

    function _touch() internal override {
        if (block.timestamp <= base_cache_updated + CACHE_SECONDS) return;
        base_virtual_price = base_pool.get_virtual_price();
        base_cache_updated = block.timestamp;
    }

    function _rates() internal view override returns (uint256[] memory current) {
        current = rates;
        current[1] =
            block.timestamp > base_cache_updated + CACHE_SECONDS ? base_pool.get_virtual_price() : base_virtual_price;
    }

    function _token(int128 i) private view returns (address) {
        return i == 0 ? coins[0] : base_pool.coins(uint128(i) - 1);
    }
}
