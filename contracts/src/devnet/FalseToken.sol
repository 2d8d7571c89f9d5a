// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that moves what it is told to, and says that it did not, once its owner has left.
contract FalseToken is ERC20 {
    address public immutable owner;
    bool public isHonest = true;

    error NotOwner(address caller);

    constructor(uint256 supply) ERC20("False", "FALSE") {
        owner = msg.sender;
        _mint(msg.sender, supply);
    }

    function lieFromNowOn() external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        isHonest = false;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        super.transfer(to, amount);
        return isHonest;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        return isHonest;
    }
}
