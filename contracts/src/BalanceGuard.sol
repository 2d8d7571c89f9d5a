// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";

/// @title BalanceGuard
/// @notice Nothing leaves this contract but what the guard has counted before, and at the end there is no less of it.
/// @dev The whole of it is a postcondition on balances: it needs no prices, and trusts no venue. Every transfer and every
/// approval of a plan goes through `_pay` and `_grant`, which refuse a token that is not guarded; a token is guarded by
/// counting it, once, before the plan can have spent any of it, and `_requireGain` and `_requireKept` count it again. What this contract held of a
/// token at first is kept in transient storage, plus one, so that zero says that it is not guarded.
///
/// Native coin and its wrapper are one asset: unwrapping is no loss.
abstract contract BalanceGuard {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using TransientSlot for bytes32;
    using TransientSlot for TransientSlot.Uint256Slot;

    error TokenNotGuarded(address token);
    error BalanceFell(address token, uint256 heldBefore, uint256 heldAfter);
    error ProfitBelowMinimum(int256 profit, uint256 profitMin);
    error AllowanceLeft(address token, address spender, uint256 allowance);

    IWrappedNative public immutable wrappedNative;

    /// @dev A token's slot is its address with the highest bit set: far from those that the compiler gives out.
    uint256 private constant HELD_BEFORE_SLOTS = 1 << 255;

    constructor(IWrappedNative newWrappedNative) {
        wrappedNative = newWrappedNative;
    }

    /// @notice Counts a token, unless it is guarded already.
    /// @return balance What this contract holds of the token itself now.
    function _guard(IERC20 token) internal virtual returns (uint256 balance) {
        balance = token.balanceOf(address(this));
        TransientSlot.Uint256Slot slot = _slotOf(token);
        if (slot.tload() == 0) slot.tstore(_held(token, balance) + 1);
    }

    /// @notice How much more there is now of a guarded token than at first; zero for less.
    function _gainSoFar(IERC20 token) internal view returns (uint256) {
        (uint256 heldBefore, uint256 heldNow) = (_slotOf(token).tload() - 1, _held(token));
        return heldNow > heldBefore ? heldNow - heldBefore : 0;
    }

    /// @notice Ends the guard of a token: there must be so much more of it than at first.
    /// @return gain How much more there is.
    function _requireGain(IERC20 token, uint256 gainMin) internal virtual returns (uint256 gain) {
        _requireGuarded(token);
        (uint256 heldBefore, uint256 heldAfter) = _recount(token);
        if (heldAfter < heldBefore + gainMin) {
            revert ProfitBelowMinimum(heldAfter.toInt256() - heldBefore.toInt256(), gainMin);
        }
        return heldAfter - heldBefore;
    }

    /// @notice Ends the guard of a token: there must be no less of it. One that is not guarded was not spent.
    function _requireKept(IERC20 token) internal virtual {
        if (!_isGuarded(token)) return;
        (uint256 heldBefore, uint256 heldAfter) = _recount(token);
        if (heldAfter < heldBefore) revert BalanceFell(address(token), heldBefore, heldAfter);
    }

    /// @notice Sends a guarded token.
    function _pay(IERC20 token, address to, uint256 amount) internal {
        _requireGuarded(token);
        token.safeTransfer(to, amount);
    }

    /// @notice Lets a spender take one amount of a guarded token.
    function _grant(IERC20 token, address spender, uint256 amount) internal {
        _requireGuarded(token);
        token.forceApprove(spender, amount);
    }

    /// @notice Makes sure that a spender took all that it was granted: no allowance outlives its use.
    function _requireSpent(IERC20 token, address spender) internal view {
        uint256 allowance = token.allowance(address(this), spender);
        if (allowance != 0) revert AllowanceLeft(address(token), spender, allowance);
    }

    /// @dev What this contract holds of an asset: of the wrapper, native coin too.
    function _held(IERC20 token) internal view returns (uint256) {
        return _held(token, token.balanceOf(address(this)));
    }

    /// @param balance Of the token itself.
    function _held(IERC20 token, uint256 balance) internal view returns (uint256) {
        return address(token) == address(wrappedNative) ? balance + address(this).balance : balance;
    }

    function _recount(IERC20 token) private returns (uint256 heldBefore, uint256 heldAfter) {
        TransientSlot.Uint256Slot slot = _slotOf(token);
        heldBefore = slot.tload() - 1;
        slot.tstore(0);
        heldAfter = _held(token);
    }

    function _requireGuarded(IERC20 token) internal view virtual {
        if (!_isGuarded(token)) revert TokenNotGuarded(address(token));
    }

    function _isGuarded(IERC20 token) private view returns (bool) {
        return _slotOf(token).tload() != 0;
    }

    function _slotOf(IERC20 token) private pure returns (TransientSlot.Uint256Slot) {
        return bytes32(HELD_BEFORE_SLOTS | uint160(address(token))).asUint256();
    }
}
