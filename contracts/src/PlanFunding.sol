// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Borrowing} from "./Borrowing.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IUniswapV2Callee} from "./interfaces/IUniswapV2.sol";
import {IUniswapV3SwapCallback} from "./interfaces/IUniswapV3.sol";
import {Funding, Header, PlanReader} from "./libraries/PlanReader.sol";
import {Step, StepKind} from "./libraries/Step.sol";

/// @title PlanFunding
/// @notice Finds the input of a plan's first step: own capital, a loan, or the pool of the step itself, which pays out
/// before it is paid.
/// @dev The plan itself is the data of every callback that walks it, so the lock of the callback covers it whole.
abstract contract PlanFunding is Borrowing, IUniswapV2Callee, IUniswapV3SwapCallback {
    using PlanReader for bytes;

    error CapitalInsufficient(address token, uint256 amountIn, uint256 held);

    /// @dev What was held of the first step's output before a flash swap gave it.
    uint256 private transient heldBeforeFlash;

    /// @notice For the pair of a running flash swap: walks the remaining steps, then pays the pair its input.
    /// @dev Anybody else, any other data and any second call revert.
    function uniswapV2Call(address, uint256, uint256, bytes calldata plan) external {
        _acceptCallback(plan);
        _continueUniswapV2(plan);
    }

    /// @notice The same by the name that PancakeSwap gives it.
    function pancakeCall(address, uint256, uint256, bytes calldata plan) external {
        _acceptCallbackAs(IUniswapV2Callee.uniswapV2Call.selector, plan);
        _continueUniswapV2(plan);
    }

    /// @notice For the pool of a running swap: pays it the planned input. In a flash swap the remaining steps come first.
    /// @dev Anybody else, any other data and any second call revert, and so does a pool that asks for another amount.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        _acceptCallback(data);
        _continueUniswapV3(amount0Delta, amount1Delta, data);
    }

    /// @notice The same by the name that PancakeSwap gives it.
    function pancakeV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        _acceptCallbackAs(IUniswapV3SwapCallback.uniswapV3SwapCallback.selector, data);
        _continueUniswapV3(amount0Delta, amount1Delta, data);
    }

    /// @param held Own capital: the balance of tokens[0].
    function _fund(bytes calldata plan, Header memory header, uint256 held) internal {
        if (header.funding == Funding.OwnCapital) _spendOwnCapital(plan, header, held);
        else if (header.funding == Funding.FlashSwap) _flashSwap(plan, header);
        else _borrow(plan, header);
    }

    function _spendOwnCapital(bytes calldata plan, Header memory header, uint256 held) private {
        if (header.amountIn > held) revert CapitalInsufficient(address(header.token), header.amountIn, held);
        _walk(plan, plan.stepAt(header.stepsOffset, header.token), header.amountIn, address(this));
    }

    function _flashSwap(bytes calldata plan, Header memory header) private {
        Step memory first = plan.stepAt(header.stepsOffset, header.token);
        heldBeforeFlash = _guard(first.tokenOut);
        if (first.kind == StepKind.UniswapV2) _flashUniswapV2(first, header.amountIn, plan);
        else _takeUniswapV3(first, header.amountIn, _receiverFor(first, plan.stepAfter(first)), plan);
    }

    function _continueUniswapV2(bytes calldata plan) private {
        Step memory first = plan.firstStep();
        _walk(plan, plan.stepAfter(first), _receivedInFlash(first), address(this));
        _repay(plan, 0);
    }

    /// @dev Data that is not only a payment is the plan of a flash swap.
    function _continueUniswapV3(int256 amount0Delta, int256 amount1Delta, bytes calldata data) private {
        if (data.length == PAYMENT_LENGTH) return _payUniswapV3(amount0Delta, amount1Delta, data);

        _requireConsumed(amount0Delta, amount1Delta, data.amountIn());
        Step memory first = data.firstStep();
        Step memory second = data.stepAfter(first);
        address holder = _receiverFor(first, second);
        uint256 amountOut = holder == address(this)
            ? _receivedInFlash(first)
            : uint256(-(amount0Delta > 0 ? amount1Delta : amount0Delta));
        _walk(data, second, amountOut, holder);
        _repay(data, 0);
    }

    function _receivedInFlash(Step memory first) private view returns (uint256) {
        return first.tokenOut.balanceOf(address(this)) - heldBeforeFlash;
    }
}
