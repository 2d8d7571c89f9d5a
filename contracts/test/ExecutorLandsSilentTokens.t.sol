// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ExecutorLandsTest} from "./ExecutorLands.t.sol";
import {NoReturnToken} from "../src/devnet/NoReturnToken.sol";

/// @notice The same over tokens that return nothing and refuse to change one allowance into another.
contract ExecutorLandsSilentTokensTest is ExecutorLandsTest {
    function _newToken(string memory) internal override returns (IERC20) {
        return IERC20(address(new NoReturnToken(type(uint128).max)));
    }
}
