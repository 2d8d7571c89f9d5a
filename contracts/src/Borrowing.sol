// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IAaveV3FlashLoanSimpleReceiver, IAaveV3Pool} from "./interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "./interfaces/IBalancerV2.sol";
import {IBalancerV3Vault} from "./interfaces/IBalancerV3.sol";
import {IMorpho, IMorphoFlashLoanCallback} from "./interfaces/IMorpho.sol";
import {IUniswapV3FlashCallback, IUniswapV3Pool} from "./interfaces/IUniswapV3.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "./interfaces/IUniswapV4.sol";
import {Funding, Header, PlanReader} from "./libraries/PlanReader.sol";
import {StepWalker} from "./StepWalker.sol";

/// @title Borrowing
/// @notice Borrows the input of a plan's first step for the length of the walk, from any of seven kinds of lender.
/// @dev The plan itself is the data of every callback, so the lock of the callback covers it whole. Some lenders are sent
/// what they lent, and their fee; others take it, and must take all of it. A lender that lies about its fee, or about what
/// it lent, can cost no more than the guard allows.
abstract contract Borrowing is
    StepWalker,
    IUniswapV3FlashCallback,
    IBalancerV2FlashLoanRecipient,
    IAaveV3FlashLoanSimpleReceiver,
    IMorphoFlashLoanCallback,
    IERC3156FlashBorrower
{
    using PlanReader for bytes;

    bytes32 private constant ERC3156_SUCCESS = keccak256("ERC3156FlashBorrower.onFlashLoan");

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

    /// @notice For the Balancer v2 Vault of a running loan: walks the steps, then pays principal and fee.
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
        _letTake(plan, premium);
        return true;
    }

    /// @notice For the Balancer v3 Vault that is unlocked for a loan: takes it, walks the steps, then pays it back.
    /// @dev Anybody else, any other data and any second call revert.
    function balancerV3LoanCallback(bytes calldata plan) external {
        _acceptCallback(plan);
        IBalancerV3Vault vault = IBalancerV3Vault(msg.sender);
        vault.sendTo(plan.token(0), address(this), plan.amountIn());
        _walkAll(plan);
        _repay(plan, 0);
        vault.settle(plan.token(0), plan.amountIn());
    }

    /// @notice For Morpho while it lends: walks the steps, then lets it take the principal.
    /// @dev Anybody else, any other data and any second call revert.
    function onMorphoFlashLoan(uint256, bytes calldata plan) external {
        _acceptCallback(plan);
        _walkAll(plan);
        _letTake(plan, 0);
    }

    /// @notice For a lender of ERC-3156 while it lends: walks the steps, then lets it take principal and fee.
    /// @dev Anybody else, any other data and any second call revert.
    function onFlashLoan(address, address, uint256, uint256 fee, bytes calldata plan) external returns (bytes32) {
        _acceptCallback(plan);
        _walkAll(plan);
        _letTake(plan, fee);
        return ERC3156_SUCCESS;
    }

    function _borrow(bytes calldata plan, Header memory header) internal {
        if (header.funding == Funding.BalancerV2Loan) _borrowBalancerV2(plan, header);
        else if (header.funding == Funding.UniswapV3Loan) _borrowUniswapV3(plan, header);
        else if (header.funding == Funding.AaveV3Loan) _borrowAaveV3(plan, header);
        else if (header.funding == Funding.BalancerV3Loan) _borrowBalancerV3(plan, header);
        else if (header.funding == Funding.UniswapV4Loan) _borrowUniswapV4(plan, header);
        else if (header.funding == Funding.MorphoLoan) _borrowMorpho(plan, header);
        else _borrowErc3156(plan, header);
        _requireCalledBack(header.lender);
    }

    /// @dev In the manager's callback, which steps of Uniswap v4 use too; none of those can be walked meanwhile.
    function _continueUniswapV4Loan(bytes calldata plan) internal override {
        IUniswapV4PoolManager manager = IUniswapV4PoolManager(msg.sender);
        manager.take(plan.token(0), address(this), plan.amountIn());
        _walkAll(plan);
        manager.sync(plan.token(0));
        _repay(plan, 0);
        manager.settle();
    }

    function _walkAll(bytes calldata plan) internal {
        _walk(plan, plan.firstStep(), plan.amountIn(), address(this));
    }

    function _repay(bytes calldata plan, uint256 fee) internal {
        _pay(plan.token(0), msg.sender, plan.amountIn() + fee);
    }

    function _letTake(bytes calldata plan, uint256 fee) private {
        _grant(plan.token(0), msg.sender, plan.amountIn() + fee);
    }

    function _borrowBalancerV2(bytes calldata plan, Header memory header) private {
        address[] memory tokens = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        tokens[0] = address(header.token);
        amounts[0] = header.amountIn;

        _expectCallback(header.lender, IBalancerV2FlashLoanRecipient.receiveFlashLoan.selector, keccak256(plan));
        IBalancerV2Vault(header.lender).flashLoan(address(this), tokens, amounts, plan);
    }

    function _borrowUniswapV3(bytes calldata plan, Header memory header) private {
        IUniswapV3Pool pool = IUniswapV3Pool(header.lender);
        (uint256 amount0, uint256 amount1) =
            pool.token0() == address(header.token) ? (header.amountIn, uint256(0)) : (uint256(0), header.amountIn);

        _expectCallback(header.lender, IUniswapV3FlashCallback.uniswapV3FlashCallback.selector, keccak256(plan));
        pool.flash(address(this), amount0, amount1, plan);
    }

    function _borrowAaveV3(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, IAaveV3FlashLoanSimpleReceiver.executeOperation.selector, keccak256(plan));
        IAaveV3Pool(header.lender).flashLoanSimple(address(this), address(header.token), header.amountIn, plan, 0);
        _requireSpent(header.token, header.lender);
    }

    function _borrowBalancerV3(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, Borrowing.balancerV3LoanCallback.selector, keccak256(plan));
        IBalancerV3Vault(header.lender).unlock(abi.encodeCall(Borrowing.balancerV3LoanCallback, (plan)));
    }

    function _borrowUniswapV4(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, IUniswapV4UnlockCallback.unlockCallback.selector, keccak256(plan));
        IUniswapV4PoolManager(header.lender).unlock(plan);
    }

    function _borrowMorpho(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, IMorphoFlashLoanCallback.onMorphoFlashLoan.selector, keccak256(plan));
        IMorpho(header.lender).flashLoan(header.token, header.amountIn, plan);
        _requireSpent(header.token, header.lender);
    }

    function _borrowErc3156(bytes calldata plan, Header memory header) private {
        _expectCallback(header.lender, IERC3156FlashBorrower.onFlashLoan.selector, keccak256(plan));
        IERC3156FlashLender(header.lender).flashLoan(this, address(header.token), header.amountIn, plan);
        _requireSpent(header.token, header.lender);
    }
}
