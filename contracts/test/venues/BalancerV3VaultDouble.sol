// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBalancerV3Vault} from "../../src/interfaces/IBalancerV3.sol";

/// @notice Keeps accounts as the documentation of Balancer v3's Vault says: whoever unlocks it is called back with the data
/// it gave and must level every account before that returns; what arrives counts only when it is settled, as balance above
/// the noted reserve and up to the hint. Its pools are constant products with a fee of 0.3 %.
/// @dev A double, because no package carries the Vault's bytecode: by itself it proves nothing about the real one. The same
/// tests have passed with the Vault compiled from the sources of npm's balancer-labs/v3-vault 1.0.0 in its place.
contract BalancerV3VaultDouble is IBalancerV3Vault {
    using Address for address;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    error VaultIsNotUnlocked();
    error BalanceNotSettled();
    error AmountGivenZero();
    error SwapLimit(uint256 amount, uint256 limit);

    uint256 private constant FEE_BPS = 30;
    uint256 private constant BPS = 10_000;

    mapping(address pool => mapping(IERC20 => uint256)) private poolBalances;
    mapping(IERC20 => uint256) private reservesOf;
    mapping(address account => mapping(IERC20 => int256)) private deltas;
    int256 private transient openDeltas;
    bool private transient isUnlocked;

    modifier onlyWhenUnlocked() {
        if (!isUnlocked) revert VaultIsNotUnlocked();
        _;
    }

    function initialize(address pool, IERC20 token, uint256 amount) external {
        token.safeTransferFrom(msg.sender, address(this), amount);
        poolBalances[pool][token] += amount;
        reservesOf[token] += amount;
    }

    function unlock(bytes calldata data) external returns (bytes memory result) {
        bool isOutermost = !isUnlocked;
        isUnlocked = true;
        result = msg.sender.functionCall(data);
        if (!isOutermost) return result;
        if (openDeltas != 0) revert BalanceNotSettled();
        isUnlocked = false;
    }

    function swap(VaultSwapParams calldata params)
        external
        onlyWhenUnlocked
        returns (uint256 amountCalculated, uint256 amountIn, uint256 amountOut)
    {
        amountIn = params.amountGivenRaw;
        if (amountIn == 0) revert AmountGivenZero();
        mapping(IERC20 => uint256) storage balances = poolBalances[params.pool];
        uint256 net = amountIn - amountIn * FEE_BPS / BPS;
        amountOut = net * balances[params.tokenOut] / (balances[params.tokenIn] + net);
        if (amountOut < params.limitRaw) revert SwapLimit(amountOut, params.limitRaw);
        balances[params.tokenIn] += amountIn;
        balances[params.tokenOut] -= amountOut;
        _account(params.tokenIn, amountIn.toInt256());
        _account(params.tokenOut, -amountOut.toInt256());
        amountCalculated = amountOut;
    }

    function settle(IERC20 token, uint256 amountHint) external onlyWhenUnlocked returns (uint256 credit) {
        uint256 held = token.balanceOf(address(this));
        credit = held - reservesOf[token];
        reservesOf[token] = held;
        if (credit > amountHint) credit = amountHint;
        _account(token, -credit.toInt256());
    }

    function sendTo(IERC20 token, address to, uint256 amount) external onlyWhenUnlocked {
        _account(token, amount.toInt256());
        reservesOf[token] -= amount;
        token.safeTransfer(to, amount);
    }

    /// @dev Positive is owed by the caller.
    function _account(IERC20 token, int256 delta) private {
        int256 before = deltas[msg.sender][token];
        deltas[msg.sender][token] = before + delta;
        if (before == 0 && delta != 0) ++openDeltas;
        if (before != 0 && before + delta == 0) --openDeltas;
    }
}
