// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAaveV3FlashLoanSimpleReceiver} from "../src/interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "../src/interfaces/IBalancerV2.sol";
import {IBalancerV3Vault} from "../src/interfaces/IBalancerV3.sol";
import {IUniswapV2Callee} from "../src/interfaces/IUniswapV2.sol";
import {IUniswapV3FlashCallback, IUniswapV3SwapCallback} from "../src/interfaces/IUniswapV3.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../src/interfaces/IUniswapV4.sol";

/// @dev Halmos answers at this address: with values of which nothing is known.
interface Svm {
    function createUint256(string memory name) external pure returns (uint256);
}

Svm constant SVM = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

/// @notice A token that keeps to the standard, and to nothing beyond it.
contract HonestToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function give(address holder, uint256 amount) external {
        balanceOf[holder] = amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @notice A venue and lender of every kind of which nothing is known: in every call it takes any amount that it may take,
/// gives any amount that it has, calls back with the data that it was given and any numbers, and answers any numbers.
contract Havoc {
    HonestToken private immutable a;
    HonestToken private immutable b;
    address private immutable executor;

    constructor(HonestToken newA, HonestToken newB, address newExecutor) {
        (a, b, executor) = (newA, newB, newExecutor);
    }

    function getReserves() external view returns (uint256, uint256, uint256) {
        return (uint112(_any()), uint112(_any()), 0);
    }

    function getAmountOut(uint256, IERC20) external view returns (uint256) {
        return _any();
    }

    function token0() external view returns (address) {
        return address(a);
    }

    function swap(uint256, uint256, address, bytes calldata data) external {
        _takeAndGive();
        if (data.length != 0) {
            _callBack(abi.encodeCall(IUniswapV2Callee.uniswapV2Call, (executor, _any(), _any(), data)));
        }
    }

    function swap(address, bool, int256, uint160, bytes calldata data) external returns (int256, int256) {
        _takeAndGive();
        _callBack(abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (int256(_any()), int256(_any()), data)));
        return (int256(_any()), int256(_any()));
    }

    function flash(address, uint256, uint256, bytes calldata data) external {
        _takeAndGive();
        _callBack(abi.encodeCall(IUniswapV3FlashCallback.uniswapV3FlashCallback, (_any(), _any(), data)));
    }

    function flashLoan(address, address[] calldata tokens, uint256[] calldata amounts, bytes calldata data) external {
        _takeAndGive();
        uint256[] memory fees = new uint256[](1);
        fees[0] = _any();
        _callBack(abi.encodeCall(IBalancerV2FlashLoanRecipient.receiveFlashLoan, (tokens, amounts, fees, data)));
    }

    function flashLoanSimple(address, address asset, uint256 amount, bytes calldata data, uint16) external {
        _takeAndGive();
        _callBack(
            abi.encodeCall(IAaveV3FlashLoanSimpleReceiver.executeOperation, (asset, amount, _any(), executor, data))
        );
        _takeAndGive();
    }

    function swap(IBalancerV2Vault.SingleSwap calldata, IBalancerV2Vault.FundManagement calldata, uint256, uint256)
        external
        returns (uint256)
    {
        _takeAndGive();
        return _any();
    }

    function exchange(int128, int128, uint256, uint256) external {
        _takeAndGive();
    }

    function unlock(bytes calldata data) external returns (bytes memory) {
        _takeAndGive();
        bool isVault = bytes4(data) != bytes4(0);
        _callBack(isVault ? data : abi.encodeCall(IUniswapV4UnlockCallback.unlockCallback, (data)));
        return abi.encode(_any());
    }

    function swap(IUniswapV4PoolManager.PoolKey calldata, IUniswapV4PoolManager.SwapParams calldata, bytes calldata)
        external
        returns (uint256)
    {
        return _any();
    }

    function swap(IBalancerV3Vault.VaultSwapParams calldata) external returns (uint256, uint256, uint256) {
        return (_any(), _any(), _any());
    }

    function sync(IERC20) external {}

    function settle() external payable returns (uint256) {
        return _any();
    }

    function settle(IERC20, uint256) external returns (uint256) {
        return _any();
    }

    function take(IERC20, address, uint256) external {
        _takeAndGive();
    }

    function sendTo(IERC20, address, uint256) external {
        _takeAndGive();
    }

    function _takeAndGive() private {
        a.transferFrom(executor, address(this), _any());
        b.transferFrom(executor, address(this), _any());
        a.transfer(executor, _any());
        b.transfer(executor, _any());
    }

    function _callBack(bytes memory call) private {
        (bool isDone,) = executor.call(call);
        require(isDone);
    }

    function _any() private pure returns (uint256) {
        return SVM.createUint256("any");
    }
}
