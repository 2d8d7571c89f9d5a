// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that lies about what arrives: every transfer burns a fee, taken from what the receiver gets.
contract FeeToken is ERC20 {
    error FeeOutOfRange(uint256 feeBps);

    uint256 private constant BPS = 10_000;

    uint256 public immutable feeBps;

    constructor(string memory name, string memory symbol, uint256 supply, uint256 transferFeeBps) ERC20(name, symbol) {
        if (transferFeeBps > BPS) revert FeeOutOfRange(transferFeeBps);
        feeBps = transferFeeBps;
        _mint(msg.sender, supply);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from == address(0) || to == address(0)) return;
        super._update(to, address(0), amount * feeBps / BPS);
    }
}
