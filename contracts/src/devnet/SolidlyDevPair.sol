// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SolidlyCurve} from "./SolidlyCurve.sol";
import {SolidlyDevFactory} from "./SolidlyDevFactory.sol";

/// @notice The event as some forks have it.
library NarrowEvents {
    event Sync(uint112 reserve0, uint112 reserve1);
}

/// @title SolidlyDevPair
/// @notice A pair with the interface of Solidly's family, for the local chain only: written here from the published
/// descriptions, it drives tests of logs, reading, refusals and execution. It proves nothing about the deployed contracts:
/// recorded quotes of those do.
contract SolidlyDevPair is ERC20 {
    using SafeERC20 for IERC20;

    error InsufficientInputAmount();
    error InsufficientOutputAmount();
    error InsufficientLiquidity();
    error IsPaused();
    error K();
    error NoSuchFunction();

    event Sync(uint256 reserve0, uint256 reserve1);

    uint256 private constant BPS = 10_000;

    SolidlyDevFactory public immutable factory;
    address public immutable token0;
    address public immutable token1;
    bool public immutable stable;
    /// @dev Whether it is of Velodrome v2's kind: its root, its fee per pair.
    bool public immutable isLater;

    uint256 private immutable SCALE0;
    uint256 private immutable SCALE1;

    uint256 public reserve0;
    uint256 public reserve1;

    constructor() ERC20("Solidly devnet pair", "SDP") {
        factory = SolidlyDevFactory(msg.sender);
        (token0, token1, stable) = SolidlyDevFactory(msg.sender).parameters();
        isLater = SolidlyDevFactory(msg.sender).isLater();
        SCALE0 = 10 ** ERC20(token0).decimals();
        SCALE1 = 10 ** ERC20(token1).decimals();
    }

    function metadata() external view returns (uint256, uint256, uint256, uint256, bool, address, address) {
        return (SCALE0, SCALE1, reserve0, reserve1, stable, token0, token1);
    }

    /// @notice Where fees go; only the later kind has this function.
    function poolFees() external view returns (address) {
        if (!isLater) revert NoSuchFunction();
        return address(factory);
    }

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256) {
        bool isZeroForOne = tokenIn == token0;
        (uint256 reserveIn, uint256 reserveOut) = isZeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        amountIn -= _fee(amountIn);
        if (!stable) return amountIn * reserveOut / (reserveIn + amountIn);
        (uint256 scaleIn, uint256 scaleOut) = isZeroForOne ? (SCALE0, SCALE1) : (SCALE1, SCALE0);
        uint256 x = reserveIn * 1e18 / scaleIn + amountIn * 1e18 / scaleIn;
        uint256 y = reserveOut * 1e18 / scaleOut;
        return (y - _root(x, _k(reserve0, reserve1), y)) * scaleOut / 1e18;
    }

    /// @notice Shares for what was sent here since the last change.
    function mint(address to) external returns (uint256 liquidity) {
        uint256 amount0 = IERC20(token0).balanceOf(address(this)) - reserve0;
        uint256 amount1 = IERC20(token1).balanceOf(address(this)) - reserve1;
        uint256 supply = totalSupply();
        liquidity = supply == 0
            ? Math.sqrt(amount0) * Math.sqrt(amount1) + 1
            : Math.min(amount0 * supply / reserve0, amount1 * supply / reserve1);
        _mint(to, liquidity);
        sync();
    }

    /// @notice Pays out the shares that were sent here.
    function burn(address to) external {
        uint256 liquidity = balanceOf(address(this));
        uint256 supply = totalSupply();
        _burn(address(this), liquidity);
        IERC20(token0).safeTransfer(to, reserve0 * liquidity / supply);
        IERC20(token1).safeTransfer(to, reserve1 * liquidity / supply);
        sync();
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata) external {
        if (factory.isPaused()) revert IsPaused();
        if (amount0Out == 0 && amount1Out == 0) revert InsufficientOutputAmount();
        if (amount0Out >= reserve0 || amount1Out >= reserve1) revert InsufficientLiquidity();
        if (amount0Out > 0) IERC20(token0).safeTransfer(to, amount0Out);
        if (amount1Out > 0) IERC20(token1).safeTransfer(to, amount1Out);
        bool isPaid = _takeFee(token0, reserve0 - amount0Out);
        isPaid = _takeFee(token1, reserve1 - amount1Out) || isPaid;
        if (!isPaid) revert InsufficientInputAmount();
        uint256 kBefore = _k(reserve0, reserve1);
        sync();
        if (_k(reserve0, reserve1) < kBefore) revert K();
    }

    /// @notice Takes the balances for reserves, and says so in the width of this pair's kind.
    function sync() public {
        reserve0 = IERC20(token0).balanceOf(address(this));
        reserve1 = IERC20(token1).balanceOf(address(this));
        if (isLater || stable) emit Sync(reserve0, reserve1);
        else emit NarrowEvents.Sync(uint112(reserve0), uint112(reserve1));
    }

    function _takeFee(address token, uint256 expected) private returns (bool) {
        uint256 balance = IERC20(token).balanceOf(address(this));
        if (balance <= expected) return false;
        IERC20(token).safeTransfer(address(factory), _fee(balance - expected));
        return true;
    }

    function _fee(uint256 amountIn) private view returns (uint256) {
        uint256 bps = isLater ? factory.getFee(address(this), stable) : factory.getFee(stable);
        return amountIn * bps / BPS;
    }

    function _k(uint256 x, uint256 y) private view returns (uint256) {
        if (!stable) return x * y;
        return SolidlyCurve.value(x * 1e18 / SCALE0, y * 1e18 / SCALE1);
    }

    function _root(uint256 x, uint256 k, uint256 y) private view returns (uint256) {
        return isLater ? SolidlyCurve.laterRoot(x, k, y, SCALE0, SCALE1) : SolidlyCurve.firstRoot(x, k, y);
    }
}
