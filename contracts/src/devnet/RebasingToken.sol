// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token whose balances grow by themselves, by simple interest on shares since it was made.
/// @dev Amounts are rounded down when shown and up when moved, so a transfer never moves less than was asked for.
contract RebasingToken is ERC20 {
    uint256 private constant PPM = 1e6;

    uint256 public immutable startedAt;
    uint256 public immutable growthPpmPerHour;

    constructor(uint256 supply, uint256 newGrowthPpmPerHour) ERC20("Rebasing", "REB") {
        (startedAt, growthPpmPerHour) = (block.timestamp, newGrowthPpmPerHour);
        _mint(msg.sender, supply);
    }

    function balanceOf(address holder) public view override returns (uint256) {
        return super.balanceOf(holder) * _index() / (PPM * 1 hours);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 index = _index();
        super._update(from, to, (amount * PPM * 1 hours + index - 1) / index);
    }

    function _index() private view returns (uint256) {
        return PPM * 1 hours + growthPpmPerHour * (block.timestamp - startedAt);
    }
}
