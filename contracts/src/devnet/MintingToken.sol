// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20FlashMint} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20FlashMint.sol";

/// @notice A token that lends by minting itself, as Maker's does: OpenZeppelin's code, with a fee that is burnt.
contract MintingToken is ERC20FlashMint {
    uint256 private constant BPS = 10_000;
    uint256 private immutable FEE_BPS;

    constructor(uint256 supply, uint256 feeBps) ERC20("Minting", "MINT") {
        FEE_BPS = feeBps;
        _mint(msg.sender, supply);
    }

    function _flashFee(address, uint256 value) internal view override returns (uint256) {
        return value * FEE_BPS / BPS;
    }
}
