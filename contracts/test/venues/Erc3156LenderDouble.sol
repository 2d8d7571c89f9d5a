// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice Lends what lies in it for a fee, as ERC-3156 says.
/// @dev A double, for any token. The standard's lender that mints, as Maker's does, is OpenZeppelin's: see
/// `ExecutorLoans.t.sol`.
contract Erc3156LenderDouble is IERC3156FlashLender {
    using SafeERC20 for IERC20;

    error CallbackFailed();

    uint256 private constant BPS = 10_000;
    uint256 private immutable feeBps;

    constructor(uint256 newFeeBps) {
        feeBps = newFeeBps;
    }

    function maxFlashLoan(address token) external view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }

    function flashFee(address, uint256 amount) public view returns (uint256) {
        return amount * feeBps / BPS;
    }

    function flashLoan(IERC3156FlashBorrower receiver, address token, uint256 amount, bytes calldata data)
        external
        returns (bool)
    {
        uint256 fee = flashFee(token, amount);
        IERC20(token).safeTransfer(address(receiver), amount);
        bytes32 answer = receiver.onFlashLoan(msg.sender, token, amount, fee, data);
        if (answer != keccak256("ERC3156FlashBorrower.onFlashLoan")) revert CallbackFailed();
        IERC20(token).safeTransferFrom(address(receiver), address(this), amount + fee);
        return true;
    }
}
