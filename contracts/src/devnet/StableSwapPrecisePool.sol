// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {StableSwapPool} from "./StableSwapPool.sol";

/// @notice A pool of the local chain whose A has two more digits, as Curve's since the summer of 2020; fit to stand under
/// a metapool.
/// @dev It proves nothing about Curve's contracts.
contract StableSwapPrecisePool is StableSwapPool {
    constructor(address[] memory poolCoins, uint256 amp, uint256 poolFee, uint256 adminFee)
        StableSwapPool(poolCoins, amp, 100, poolFee, adminFee)
    {}

    function A_precise() external view returns (uint256) {
        return _amp();
    }

    function lp_token() external view virtual returns (address) {
        return address(share);
    }

    function get_virtual_price() external view returns (uint256) {
        return _invariant(balances) * ONE / share.totalSupply();
    }

    function calc_withdraw_one_coin(uint256 amount, int128 i) external view returns (uint256 dy) {
        (dy,) = _withdrawn(amount, uint128(i));
    }

    function calc_token_amount(uint256[2] calldata amounts, bool isDeposit) external view returns (uint256) {
        uint256[] memory list = new uint256[](2);
        (list[0], list[1]) = (amounts[0], amounts[1]);
        return _estimated(list, isDeposit);
    }

    function calc_token_amount(uint256[3] calldata amounts, bool isDeposit) external view returns (uint256) {
        uint256[] memory list = new uint256[](3);
        (list[0], list[1], list[2]) = (amounts[0], amounts[1], amounts[2]);
        return _estimated(list, isDeposit);
    }

    /// @dev Pool tokens for a change of the balances, the fee left out.
    function _estimated(uint256[] memory amounts, bool isDeposit) private view returns (uint256) {
        uint256 before = _invariant(balances);
        for (uint256 k; k < amounts.length; ++k) {
            amounts[k] = isDeposit ? balances[k] + amounts[k] : balances[k] - amounts[k];
        }
        uint256 later = _invariant(amounts);
        return (isDeposit ? later - before : before - later) * share.totalSupply() / before;
    }
}
