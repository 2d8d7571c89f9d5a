// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAaveV3FlashLoanSimpleReceiver} from "../../src/interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient, IBalancerV2Vault} from "../../src/interfaces/IBalancerV2.sol";
import {IBalancerV3Vault} from "../../src/interfaces/IBalancerV3.sol";
import {IExecutor} from "../../src/interfaces/IExecutor.sol";
import {IUniswapV2Callee} from "../../src/interfaces/IUniswapV2.sol";
import {IUniswapV3FlashCallback, IUniswapV3SwapCallback} from "../../src/interfaces/IUniswapV3.sol";
import {IUniswapV4PoolManager, IUniswapV4UnlockCallback} from "../../src/interfaces/IUniswapV4.sol";

/// @dev None lands if the rest of the plan does; the others are told where they are told.
enum Lie {
    None,
    PaysHalf,
    PaysNothing,
    SaysMore,
    CallsTwice,
    ChangesData,
    CallsNotBack,
    StrangerCalls,
    AsksMore,
    TakesLess,
    TakesMore,
    Reverts
}

/// @notice Calls whatever a villain wants to be called by somebody else.
contract Stranger {
    function forward(address target, bytes calldata data) external returns (bool isDone) {
        (isDone,) = target.call(data);
    }
}

/// @notice A venue of every kind, a lender of every kind, a builder and an operator, at whatever price its owner wants: it
/// tells one lie, and whenever it is called, it first makes the calls to the Executor that it was armed with.
/// @dev A call that must have been refused and was not is counted as a breach.
contract Villain {
    error Refused();

    struct Script {
        IERC20 tokenIn;
        IERC20 tokenOut;
        uint256 ratePercent;
        Lie lie;
        uint256 seed;
    }

    uint256 private constant RESERVE = 1e30;
    uint256 private constant PERCENT = 100;
    uint256 private constant GREED = 1000;

    IExecutor private immutable executor;
    Stranger private immutable stranger = new Stranger();

    Script private script;
    bytes[] private reentries;
    bytes private last;
    uint256 public breaches;
    uint256 public refusals;

    constructor(IExecutor newExecutor) {
        executor = newExecutor;
    }

    function arm(Script calldata newScript, bytes[] calldata newReentries) external {
        script = newScript;
        delete reentries;
        for (uint256 i; i < newReentries.length; ++i) {
            reentries.push(newReentries[i]);
        }
    }

    /// @notice Makes the last callback of a plan once more, when the plan is over.
    function replay() external returns (bool isDone) {
        (isDone,) = address(executor).call(last);
        _mustBeRefused(isDone && last.length != 0);
    }

    function forge(bytes calldata data) external returns (bool isDone) {
        (isDone,) = address(executor).call(data);
    }

    receive() external payable {
        _enter();
    }

    function getReserves() external view returns (uint256 reserve0, uint256 reserve1, uint256) {
        uint256 rich = RESERVE * script.ratePercent / PERCENT * (script.lie == Lie.SaysMore ? GREED : 1);
        return script.tokenIn < script.tokenOut ? (RESERVE, rich, 0) : (rich, RESERVE, 0);
    }

    function getAmountOut(uint256 amountIn, IERC20) external view returns (uint256) {
        return _said(_out(amountIn));
    }

    function token0() external view returns (IERC20) {
        return script.seed & 1 == 0 ? script.tokenIn : script.tokenOut;
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external {
        _enter();
        _send(script.tokenOut, to, amount0Out + amount1Out);
        if (data.length == 0) return;
        _callBack(abi.encodeCall(IUniswapV2Callee.uniswapV2Call, (address(executor), amount0Out, amount1Out, data)));
    }

    function swap(address to, bool zeroForOne, int256 amountIn, uint160, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        _enter();
        uint256 out = _out(uint256(amountIn));
        _send(script.tokenOut, to, out);
        int256 asked = script.lie == Lie.AsksMore ? amountIn + 1 : amountIn;
        int256 given = -int256(_said(out));
        (amount0, amount1) = zeroForOne ? (asked, given) : (given, asked);
        _callBack(abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (amount0, amount1, data)));
    }

    function flash(address to, uint256 amount0, uint256 amount1, bytes calldata data) external {
        _enter();
        _send(script.tokenIn, to, amount0 + amount1);
        _callBack(abi.encodeCall(IUniswapV3FlashCallback.uniswapV3FlashCallback, (_fee(), 0, data)));
    }

    function flashLoan(address to, address[] calldata tokens, uint256[] calldata amounts, bytes calldata data)
        external
    {
        _enter();
        _send(IERC20(tokens[0]), to, amounts[0]);
        uint256[] memory fees = new uint256[](1);
        fees[0] = _fee();
        _callBack(abi.encodeCall(IBalancerV2FlashLoanRecipient.receiveFlashLoan, (tokens, amounts, fees, data)));
    }

    function flashLoanSimple(address to, address asset, uint256 amount, bytes calldata data, uint16) external {
        _enter();
        _send(IERC20(asset), to, amount);
        _callBack(
            abi.encodeCall(
                IAaveV3FlashLoanSimpleReceiver.executeOperation, (asset, amount, _fee(), address(executor), data)
            )
        );
        _take(IERC20(asset), amount + _fee());
    }

    /// @dev Of a Vault of Balancer v2.
    function swap(
        IBalancerV2Vault.SingleSwap calldata single,
        IBalancerV2Vault.FundManagement calldata funds,
        uint256,
        uint256
    ) external returns (uint256 amountOut) {
        _enter();
        _take(script.tokenIn, single.amount);
        _send(script.tokenOut, funds.recipient, _out(single.amount));
        return _said(_out(single.amount));
    }

    function exchange(int128, int128, uint256 amountIn, uint256) external {
        _exchange(amountIn);
    }

    function exchange(uint256, uint256, uint256 amountIn, uint256) external {
        _exchange(amountIn);
    }

    function exchange_underlying(int128, int128, uint256 amountIn, uint256) external {
        _exchange(amountIn);
    }

    /// @dev Of the manager of Uniswap v4 and of the Vault of Balancer v3, which is told what to call.
    function unlock(bytes calldata data) external returns (bytes memory result) {
        _enter();
        bool isVault = bytes4(data) != bytes4(0);
        bytes memory call = isVault ? data : abi.encodeCall(IUniswapV4UnlockCallback.unlockCallback, (data));
        bytes memory answer = _callBack(call);
        return isVault || answer.length == 0 ? answer : abi.decode(answer, (bytes));
    }

    function swap(
        IUniswapV4PoolManager.PoolKey calldata,
        IUniswapV4PoolManager.SwapParams calldata params,
        bytes calldata
    ) external returns (int256) {
        _enter();
        int256 given = int256(_said(_out(uint256(-params.amountSpecified))));
        int256 asked = params.amountSpecified - (script.lie == Lie.AsksMore ? int256(1) : int256(0));
        (int256 delta0, int256 delta1) = params.zeroForOne ? (asked, given) : (given, asked);
        return delta0 << 128 | int256(uint256(uint128(int128(delta1))));
    }

    function swap(IBalancerV3Vault.VaultSwapParams calldata params) external returns (uint256, uint256, uint256 out) {
        _enter();
        out = _said(_out(params.amountGivenRaw));
        return (out, params.amountGivenRaw, out);
    }

    function sync(IERC20) external {
        _enter();
    }

    function settle() external payable returns (uint256) {
        _enter();
        return 0;
    }

    function settle(IERC20, uint256 amount) external returns (uint256) {
        _enter();
        return amount;
    }

    function take(IERC20 token, address to, uint256 amount) external {
        _enter();
        _send(token, to, amount);
    }

    function sendTo(IERC20 token, address to, uint256 amount) external {
        _enter();
        _send(token, to, amount);
    }

    function _exchange(uint256 amountIn) private {
        _enter();
        _take(script.tokenIn, amountIn);
        _send(script.tokenOut, msg.sender, _out(amountIn));
    }

    /// @dev Everything but wrapping must be refused to whoever is called by the Executor.
    function _enter() private {
        if (script.lie == Lie.Reverts) revert Refused();
        for (uint256 i; i < reentries.length; ++i) {
            bytes memory data = reentries[i];
            (bool isDone,) = address(executor).call(data);
            _mustBeRefused(isDone && bytes4(data) != IExecutor.wrapNative.selector);
        }
    }

    function _callBack(bytes memory call) private returns (bytes memory answer) {
        last = call;
        if (script.lie == Lie.CallsNotBack) return "";
        if (script.lie == Lie.StrangerCalls) {
            bool isLetIn = stranger.forward(address(executor), call);
            _mustBeRefused(isLetIn);
            if (isLetIn) return "";
        }
        if (script.lie == Lie.ChangesData) {
            call[4 + script.seed % (call.length - 4)] ^= bytes1(uint8(1 + script.seed % 255));
        }
        bool isDone;
        (isDone, answer) = address(executor).call(call);
        if (!isDone) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        if (script.lie != Lie.CallsTwice) return answer;
        (isDone,) = address(executor).call(call);
        _mustBeRefused(isDone);
    }

    function _send(IERC20 token, address to, uint256 amount) private {
        if (script.lie == Lie.PaysNothing) return;
        token.transfer(to, script.lie == Lie.PaysHalf ? amount / 2 : amount);
    }

    function _take(IERC20 token, uint256 amount) private {
        if (script.lie == Lie.TakesLess) amount -= amount / 3 + 1;
        token.transferFrom(address(executor), address(this), amount);
        if (script.lie == Lie.TakesMore) token.transferFrom(address(executor), address(this), 1);
    }

    function _out(uint256 amountIn) private view returns (uint256) {
        return amountIn * script.ratePercent / PERCENT;
    }

    function _said(uint256 amount) private view returns (uint256) {
        return script.lie == Lie.SaysMore ? amount * GREED : amount;
    }

    function _fee() private view returns (uint256) {
        return script.lie == Lie.AsksMore ? script.seed >> script.seed % 256 : 0;
    }

    function _mustBeRefused(bool isDone) private {
        if (isDone) ++breaches;
        else ++refusals;
    }
}
