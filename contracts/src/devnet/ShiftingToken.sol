// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token whose decimals depend on the hour: what a person reads as one is a million later.
contract ShiftingToken is ERC20 {
    uint256 private constant PERIOD = 2 hours;

    constructor(uint256 supply) ERC20("Shifting", "SHIFT") {
        _mint(msg.sender, supply);
    }

    function decimals() public view override returns (uint8) {
        return block.timestamp % PERIOD < PERIOD / 2 ? 18 : 12;
    }
}
