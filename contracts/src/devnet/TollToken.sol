// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Which transfers pay the toll: those out of a market, into one, or both.
enum Tolled {
    Buys,
    Sales,
    Both
}

/// @notice A token that lies about what arrives, at markets only and from an amount on: a plain transfer shows nothing.
contract TollToken is ERC20 {
    uint256 private constant BPS = 10_000;

    address public immutable owner;
    Tolled public immutable tolled;
    uint256 public immutable tollBps;
    uint256 public immutable amountMin;
    mapping(address => bool) public isMarket;

    error NotOwner(address caller);

    constructor(uint256 supply, Tolled newTolled, uint256 newTollBps, uint256 newAmountMin) ERC20("Toll", "TOLL") {
        (owner, tolled, tollBps, amountMin) = (msg.sender, newTolled, newTollBps, newAmountMin);
        _mint(msg.sender, supply);
    }

    function addMarket(address market) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        isMarket[market] = true;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        bool isBuy = isMarket[from] && tolled != Tolled.Sales;
        bool isSale = isMarket[to] && tolled != Tolled.Buys;
        if ((isBuy || isSale) && amount >= amountMin) super._update(to, address(0), amount * tollBps / BPS);
    }
}
