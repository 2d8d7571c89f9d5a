// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {SolidlyDevPair} from "./SolidlyDevPair.sol";

/// @title SolidlyDevFactory
/// @notice Makes pairs and keeps fee and pause, as the factories of Solidly's family do: nothing it changes is logged.
/// @dev For the local chain; anyone may change anything. See `SolidlyDevPair` for what it proves and what not.
contract SolidlyDevFactory {
    error NoSuchFunction();

    bool public immutable isLater;

    bool public isPaused;
    uint256 private stableFeeBps = 5;
    uint256 private volatileFeeBps = 30;
    mapping(address pair => uint256 feeBps) private ownFeeBps;

    constructor(bool later) {
        isLater = later;
    }

    function createPair(address tokenA, address tokenB, bool stable) external returns (address) {
        return address(new SolidlyDevPair(tokenA, tokenB, stable, isLater));
    }

    function setFee(bool stable, uint256 feeBps) external {
        if (stable) stableFeeBps = feeBps;
        else volatileFeeBps = feeBps;
    }

    function setCustomFee(address pair, uint256 feeBps) external {
        ownFeeBps[pair] = feeBps;
    }

    function setPaused(bool paused) external {
        isPaused = paused;
    }

    /// @notice What the first factories answer.
    function getFee(bool stable) external view returns (uint256) {
        if (isLater) revert NoSuchFunction();
        return _feeOfKind(stable);
    }

    /// @notice What the later factories answer.
    function getFee(address pair, bool stable) external view returns (uint256) {
        if (!isLater) revert NoSuchFunction();
        return ownFeeBps[pair] == 0 ? _feeOfKind(stable) : ownFeeBps[pair];
    }

    function _feeOfKind(bool stable) private view returns (uint256) {
        return stable ? stableFeeBps : volatileFeeBps;
    }
}
