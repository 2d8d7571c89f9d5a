// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BalancerV3VaultDouble} from "../venues/BalancerV3VaultDouble.sol";
import {CurvePoolDouble} from "../venues/CurvePoolDouble.sol";
import {SolidlyPairDouble} from "../venues/SolidlyPairDouble.sol";

/// @notice Protocols whose bytecode cannot be had, by doubles that are called and paid in the same way.
abstract contract DoublesMarket {
    using SafeERC20 for IERC20;

    BalancerV3VaultDouble internal vaultV3;

    function _newVaultV3() internal {
        vaultV3 = new BalancerV3VaultDouble();
    }

    function _newPoolV3Balancer(IERC20[3] memory tokens, uint256[3] memory amounts) internal returns (address pool) {
        pool = address(bytes20(keccak256(abi.encode(tokens, amounts))));
        for (uint256 i; i < 3; ++i) {
            tokens[i].forceApprove(address(vaultV3), amounts[i]);
            vaultV3.initialize(pool, tokens[i], amounts[i]);
        }
    }

    function _newCurvePool(IERC20[3] memory tokens, uint256[3] memory prices, uint256 reserve)
        internal
        returns (address pool)
    {
        IERC20[] memory coins = new IERC20[](3);
        uint256[] memory given = new uint256[](3);
        for (uint256 i; i < 3; ++i) {
            (coins[i], given[i]) = (tokens[i], prices[i]);
        }
        pool = address(new CurvePoolDouble(coins, given));
        for (uint256 i; i < 3; ++i) {
            tokens[i].safeTransfer(pool, reserve);
        }
    }

    function _newSolidlyPair(IERC20 tokenA, IERC20 tokenB, uint256 amountA, uint256 amountB)
        internal
        returns (address)
    {
        SolidlyPairDouble pair = new SolidlyPairDouble(tokenA, tokenB);
        tokenA.safeTransfer(address(pair), amountA);
        tokenB.safeTransfer(address(pair), amountB);
        pair.sync();
        return address(pair);
    }
}
