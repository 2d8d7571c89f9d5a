// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Artifacts} from "./Artifacts.sol";

interface IFactoryV2 {
    function createPair(address tokenA, address tokenB) external returns (address);
}

interface IPairV2 {
    function mint(address to) external returns (uint256);
}

interface IFactoryV3 {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface IPoolV3 {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address to, int24 tickLower, int24 tickUpper, uint128 liquidity, bytes calldata data) external;
    function token0() external view returns (address);
    function token1() external view returns (address);
    function tickSpacing() external view returns (int24);
}

/// @notice Uniswap v2 and v3 with their published bytecode.
abstract contract UniswapMarket is Artifacts {
    using SafeERC20 for IERC20;

    IFactoryV3 private factoryV3;

    function _newFactoryV2() internal returns (IFactoryV2) {
        return
            IFactoryV2(_deploy("@uniswap/v2-core/build/UniswapV2Factory.json", ".bytecode", abi.encode(address(this))));
    }

    function _newPair(IFactoryV2 factory, IERC20 tokenA, IERC20 tokenB, uint256 amountA, uint256 amountB)
        internal
        returns (address pair)
    {
        pair = factory.createPair(address(tokenA), address(tokenB));
        tokenA.safeTransfer(pair, amountA);
        tokenB.safeTransfer(pair, amountB);
        IPairV2(pair).mint(address(this));
    }

    /// @dev Liquidity over the whole range; one tokenA costs priceNum / priceDen of tokenB.
    function _newPool(IERC20 tokenA, IERC20 tokenB, uint24 fee, uint256 priceNum, uint256 priceDen, uint128 liquidity)
        internal
        returns (address pool)
    {
        if (address(factoryV3) == address(0)) {
            string memory path = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
            factoryV3 = IFactoryV3(_deploy(path, ".bytecode", ""));
        }
        pool = factoryV3.createPool(address(tokenA), address(tokenB), fee);
        if (address(tokenA) > address(tokenB)) (priceNum, priceDen) = (priceDen, priceNum);
        IPoolV3(pool).initialize(uint160(Math.sqrt((priceNum << 192) / priceDen)));
        int24 spacing = IPoolV3(pool).tickSpacing();
        int24 tick = 887272 / spacing * spacing;
        IPoolV3(pool).mint(address(this), -tick, tick, liquidity, "");
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        IERC20(IPoolV3(msg.sender).token0()).safeTransfer(msg.sender, amount0);
        IERC20(IPoolV3(msg.sender).token1()).safeTransfer(msg.sender, amount1);
    }
}
