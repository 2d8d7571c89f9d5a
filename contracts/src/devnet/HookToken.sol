// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

interface ITokensReceived {
    function tokensReceived(address from, uint256 amount) external;
}

/// @notice A token that calls whoever receives it, in the middle of the transfer, as those of ERC-777 do.
contract HookToken is ERC20 {
    constructor(uint256 supply) ERC20("Hook", "HOOK") {
        _mint(msg.sender, supply);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (to.code.length == 0) return;
        try ITokensReceived(to).tokensReceived(from, amount) {} catch {}
    }
}
