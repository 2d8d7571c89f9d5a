// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../../src/interfaces/IUniswapV4.sol";
import {PlanWriter} from "../PlanWriter.sol";
import {Artifacts} from "./Artifacts.sol";

interface IPoolManagerV4 is IUniswapV4PoolManager {
    struct ModifyLiquidityParams {
        int24 tickLower;
        int24 tickUpper;
        int256 liquidityDelta;
        bytes32 salt;
    }

    function initialize(PoolKey calldata key, uint160 sqrtPriceX96) external returns (int24 tick);

    function modifyLiquidity(PoolKey calldata key, ModifyLiquidityParams calldata params, bytes calldata hookData)
        external
        returns (int256 callerDelta, int256 feesAccrued);
}

/// @notice Uniswap v4 with its published bytecode; liquidity lies over the whole range.
abstract contract UniswapV4Market is Artifacts, IUniswapV4UnlockCallback {
    using SafeERC20 for IERC20;

    IPoolManagerV4 internal manager;

    function _newManager() internal {
        string memory path = "@uniswap/v4-core/out/PoolManager.sol/PoolManager.json";
        manager = IPoolManagerV4(_deploy(path, ".bytecode.object", abi.encode(address(this))));
    }

    /// @dev One tokenA costs price[0] / price[1] of tokenB.
    function _newPoolV4(
        IERC20 tokenA,
        IERC20 tokenB,
        uint24 fee,
        address hooks,
        uint256[2] memory price,
        uint128 liquidity
    ) internal returns (bytes26 terms) {
        bool isAFirst = address(tokenA) < address(tokenB);
        (IERC20 currency0, IERC20 currency1) = isAFirst ? (tokenA, tokenB) : (tokenB, tokenA);
        (uint256 priceNum, uint256 priceDen) = isAFirst ? (price[0], price[1]) : (price[1], price[0]);
        IUniswapV4PoolManager.PoolKey memory key =
            IUniswapV4PoolManager.PoolKey(currency0, currency1, fee, int24(fee / 50), hooks);
        manager.initialize(key, uint160(Math.sqrt((priceNum << 192) / priceDen)));
        manager.unlock(abi.encode(key, liquidity));
        return PlanWriter.termsV4(fee, key.tickSpacing, hooks);
    }

    /// @dev What a manager answers to a swap: negative is owed by the caller.
    function _deltaV4(IERC20 tokenIn, IERC20 tokenOut, int128 deltaIn, int128 deltaOut) internal pure returns (int256) {
        bool isInFirst = address(tokenIn) < address(tokenOut);
        (int256 delta0, int128 delta1) = isInFirst ? (deltaIn, deltaOut) : (deltaOut, deltaIn);
        return delta0 << 128 | int256(uint256(uint128(delta1)));
    }

    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        (IUniswapV4PoolManager.PoolKey memory key, uint128 liquidity) =
            abi.decode(data, (IUniswapV4PoolManager.PoolKey, uint128));
        int24 tick = 887272 / key.tickSpacing * key.tickSpacing;
        IPoolManagerV4.ModifyLiquidityParams memory params =
            IPoolManagerV4.ModifyLiquidityParams(-tick, tick, int256(uint256(liquidity)), 0);
        (int256 delta,) = manager.modifyLiquidity(key, params, "");
        _pay(key.currency0, uint256(-(delta >> 128)));
        _pay(key.currency1, uint256(-int256(int128(delta))));
        return "";
    }

    function _pay(IERC20 token, uint256 amount) private {
        manager.sync(token);
        token.safeTransfer(address(manager), amount);
        manager.settle();
    }
}
