// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Executor} from "../src/Executor.sol";
import {IWrappedNative} from "../src/interfaces/IWrappedNative.sol";

/// @notice The Executor without role, pause, list and guard: what these cost is the difference.
contract UnguardedExecutor is Executor {
    constructor(address newOwner, IWrappedNative newWrappedNative) Executor(newOwner, newWrappedNative) {}

    function _authorise() internal pure override returns (uint256) {
        return type(uint16).max;
    }

    function _requireListed(IERC20) internal pure override {}

    /// @dev The walk measures what arrives, with or without a guard.
    function _guard(IERC20 token) internal view override returns (uint256) {
        return token.balanceOf(address(this));
    }

    function _requireGuarded(IERC20) internal pure override {}

    function _requireGain(IERC20, uint256) internal pure override returns (uint256) {
        return 0;
    }

    function _requireKept(IERC20) internal pure override {}
}
