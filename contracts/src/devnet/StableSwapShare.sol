// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice The token of a StableSwap pool of the local chain; the pool that made it mints and burns it.
contract StableSwapShare is ERC20("Devnet StableSwap", "DSS") {
    error NotPool(address caller);

    address public immutable pool = msg.sender;

    modifier onlyPool() {
        if (msg.sender != pool) revert NotPool(msg.sender);
        _;
    }

    function mint(address holder, uint256 amount) external onlyPool {
        _mint(holder, amount);
    }

    function burn(address holder, uint256 amount) external onlyPool {
        _burn(holder, amount);
    }
}
