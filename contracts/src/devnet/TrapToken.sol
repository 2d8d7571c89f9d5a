// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A honeypot: everybody can buy, and from a block on nobody but its owner can sell.
contract TrapToken is ERC20 {
    address public immutable owner;
    uint256 public immutable closedFromBlock;
    mapping(address => bool) public isMarket;

    error NotOwner(address caller);
    error SaleBlocked(address seller);

    constructor(uint256 supply, uint256 newClosedFromBlock) ERC20("Trap", "TRAP") {
        (owner, closedFromBlock) = (msg.sender, newClosedFromBlock);
        _mint(msg.sender, supply);
    }

    function addMarket(address market) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        isMarket[market] = true;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isMarket[to] && from != owner && block.number >= closedFromBlock) revert SaleBlocked(from);
        super._update(from, to, amount);
    }
}
