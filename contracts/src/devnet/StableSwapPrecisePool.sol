// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {StableSwapPool} from "./StableSwapPool.sol";

/// @notice A pool of the local chain whose A has two more digits, as Curve's since the summer of 2020.
/// @dev It proves nothing about Curve's contracts.
contract StableSwapPrecisePool is StableSwapPool {
    constructor(address[] memory poolCoins, uint256 amp, uint256 poolFee, uint256 adminFee)
        StableSwapPool(poolCoins, amp, 100, poolFee, adminFee)
    {}

    function A_precise() external view returns (uint256) {
        return _amp();
    }
}
