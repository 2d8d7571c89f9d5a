// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title CurveDevList
/// @notice A list of pools with the two functions that Curve's factories and registries have, and the two ways in which
/// theirs change: appending, and a registry owner's removal, which puts the last pool in the place of the removed one.
/// @dev For the local chain; anyone may change it. It proves nothing about the deployed contracts.
contract CurveDevList {
    address[] private pools;

    function add(address pool) external {
        pools.push(pool);
    }

    function remove(uint256 index) external {
        pools[index] = pools[pools.length - 1];
        pools.pop();
    }

    function pool_count() external view returns (uint256) {
        return pools.length;
    }

    function pool_list(uint256 index) external view returns (address) {
        return index < pools.length ? pools[index] : address(0);
    }
}
