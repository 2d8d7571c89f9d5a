// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The Pool of Aave v3.
interface IAaveV3Pool {
    function flashLoanSimple(
        address receiver,
        address asset,
        uint256 amount,
        bytes calldata params,
        uint16 referralCode
    ) external;
}

/// @notice What the Pool calls on whoever takes a simple flash loan.
interface IAaveV3FlashLoanSimpleReceiver {
    function executeOperation(address asset, uint256 amount, uint256 premium, address initiator, bytes calldata params)
        external
        returns (bool);
}
