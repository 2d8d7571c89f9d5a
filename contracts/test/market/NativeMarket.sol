// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IWrappedNative} from "../../src/interfaces/IWrappedNative.sol";
import {DevToken} from "../../src/devnet/DevToken.sol";
import {Market} from "./Market.sol";

/// @notice The market whose first token is the wrapper of the chain's native coin, WETH9 with its published bytecode.
abstract contract NativeMarket is Market {
    function _newToken(string memory name) internal virtual override returns (IERC20 token) {
        if (address(a) != address(0) || keccak256(bytes(name)) != keccak256("A")) {
            return new DevToken(name, name, 18, type(uint128).max);
        }
        token = IERC20(_deploy("@uniswap/v2-periphery/build/WETH9.json", ".bytecode", ""));
        vm.deal(address(this), 100 * RESERVE);
        IWrappedNative(address(token)).deposit{value: 100 * RESERVE}();
    }

    function _newWrappedNative() internal view override returns (address) {
        return address(a);
    }

    function _held(IERC20 token) internal view returns (uint256) {
        return token.balanceOf(address(executor)) + (token == a ? address(executor).balance : 0);
    }
}
