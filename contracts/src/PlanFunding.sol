// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAaveV3FlashLoanSimpleReceiver, IAaveV3Pool} from "./interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "./interfaces/IBalancerV2.sol";
import {IUniswapV2Callee} from "./interfaces/IUniswapV2.sol";
import {IUniswapV3FlashCallback, IUniswapV3Pool, IUniswapV3SwapCallback} from "./interfaces/IUniswapV3.sol";
import {Funding, Header, PlanReader} from "./libraries/PlanReader.sol";
import {Step, StepKind} from "./libraries/Step.sol";
import {StepWalker} from "./StepWalker.sol";

/// @title PlanFunding
/// @notice Finds the input of a plan's first step, has the steps walked, and pays back what was borrowed.
/// @dev The plan itself is the data of every callback that walks it, so the lock of the callback covers it whole. A lender
/// that lies about its fee, or about what it lent, can cost no more than the profit guard allows.
abstract contract PlanFunding is
    StepWalker,
    IUniswapV2Callee,
    IUniswapV3SwapCallback,
    IUniswapV3FlashCallback,
    IBalancerV2FlashLoanRecipient,
    IAaveV3FlashLoanSimpleReceiver
{
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

    /// @notice For the v3 pool of a running loan: walks the steps, then pays principal and fee.
    /// @dev Anybody else, any other data and any second call revert. Only one token was borrowed, so one fee is zero.
    function uniswapV3FlashCallback(uint256 fee0, uint256 fee1, bytes calldata plan) external {
        _acceptCallback(plan);
        _walkAll(plan);
        _repay(plan, fee0 + fee1);
    }

    /// @notice The same by the name that PancakeSwap gives it.
    function pancakeV3FlashCallback(uint256 fee0, uint256 fee1, bytes calldata plan) external {
        _acceptCallbackAs(IUniswapV3FlashCallback.uniswapV3FlashCallback.selector, plan);
        _walkAll(plan);
        _repay(plan, fee0 + fee1);
    }

    /// @notice For the Balancer Vault of a running loan: walks the steps, then pays principal and fee.
    /// @dev Anybody else, any other data and any second call revert.
    function receiveFlashLoan(
        address[] calldata,
        uint256[] calldata,
        uint256[] calldata feeAmounts,
        bytes calldata plan
    ) external {
        _acceptCallback(plan);
        _walkAll(plan);
        _repay(plan, feeAmounts[0]);
    }

    /// @notice For the Aave Pool of a running loan: walks the steps, then lets the Pool take principal and premium.
    /// @dev Anybody else, any other data and any second call revert.
    function executeOperation(address, uint256, uint256 premium, address, bytes calldata plan) external returns (bool) {
        _acceptCallback(plan);
        _walkAll(plan);
        _grant(plan.token(0), msg.sender, plan.amountIn() + premium);
        return true;
    }

    /// @param held Own capital: the balance of tokens[0].
    function _fund(bytes calldata plan, Header memory header, uint256 held) internal {
        if (header.funding == Funding.OwnCapital) _spendOwnCapital(plan, header, held);
        else if (header.funding == Funding.FlashSwap) _flashSwap(plan, header);
        else if (header.funding == Funding.BalancerV2Loan) _borrowBalancerV2(plan, header);
        else if (header.funding == Funding.UniswapV3Loan) _borrowUniswapV3(plan, header);
        else _borrowAaveV3(plan, header);
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

    function _borrowBalancerV2(bytes calldata plan, Header memory header) private {
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        tokens[0] = address(header.token);
        amounts[0] = header.amountIn;

        _expectCallback(header.lender, IBalancerV2FlashLoanRecipient.receiveFlashLoan.selector, keccak256(plan));
        IBalancerV2Vault(header.lender).flashLoan(address(this), tokens, amounts, plan);
        _requireCalledBack(header.lender);
    }

    function _borrowUniswapV3(bytes calldata plan, Header memory header) private {
        IUniswapV3Pool pool = IUniswapV3Pool(header.lender);
        (uint256 amount0, uint256 amount1) =
            pool.token0() == address(header.token) ? (header.amountIn, uint256(0)) : (uint256(0), header.amountIn);

        _expectCallback(header.lender, IUniswapV3FlashCallback.uniswapV3FlashCallback.selector, keccak256(plan));
        pool.flash(address(this), amount0, amount1, plan);
        _requireCalledBack(header.lender);
    }

    function _borrowAaveV3(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, IAaveV3FlashLoanSimpleReceiver.executeOperation.selector, keccak256(plan));
        IAaveV3Pool(header.lender).flashLoanSimple(address(this), address(header.token), header.amountIn, plan, 0);
        _requireCalledBack(header.lender);
        _requireSpent(header.token, header.lender);
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

    function _walkAll(bytes calldata plan) private {
        _walk(plan, plan.firstStep(), plan.amountIn(), address(this));
    }

    function _repay(bytes calldata plan, uint256 fee) private {
        _pay(plan.token(0), msg.sender, plan.amountIn() + fee);
    }

    function _receivedInFlash(Step memory first) private view returns (uint256) {
        return first.tokenOut.balanceOf(address(this)) - heldBeforeFlash;
    }
}
