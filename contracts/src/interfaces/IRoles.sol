// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice What the owner and the guardian of an Executor call, and how it answers.
interface IRoles {
    error OwnerIsZero();
    error OperatorIsZero();
    error NotOwner(address caller);
    error NotGuardian(address caller);
    error NotOperator(address caller);
    error IsPaused();
    error TipShareTooLarge(uint256 shareBps, uint256 shareMaxBps);

    event OperatorSet(address indexed operator, bool isOperator);
    event GuardianSet(address indexed guardian);
    event TreasurySet(address indexed treasury);
    event TokenListed(address indexed token, bool isListed);
    event TipShareMaxSet(uint16 shareMaxBps);
    event Paused(address indexed by);
    event Unpaused();

    function owner() external view returns (address);

    /// @return The one who may pause; zero for nobody beside the owner.
    function guardian() external view returns (address);

    /// @return Where operators may sweep to; zero for nowhere.
    function treasury() external view returns (address);

    function isOperator(address account) external view returns (bool);

    /// @return Whether profit may be counted in the token.
    function isListed(IERC20 token) external view returns (bool);

    function isPaused() external view returns (bool);

    /// @return The largest share of a plan's profit that may be tipped to the block's builder, in basis points.
    function tipShareMaxBps() external view returns (uint16);

    /// @notice Appoints or dismisses an operator. Only the owner can.
    function setOperator(address operator, bool newIsOperator) external;

    /// @notice Appoints the guardian in the place of the one before. Only the owner can.
    function setGuardian(address newGuardian) external;

    /// @notice Says where operators may sweep to. Only the owner can.
    function setTreasury(address newTreasury) external;

    /// @notice Puts tokens on the list, or takes them off. Only the owner can.
    function setListed(IERC20[] calldata tokens, bool newIsListed) external;

    /// @notice Caps the tips of operators. Only the owner can.
    function setTipShareMax(uint16 newTipShareMaxBps) external;

    /// @notice Stops operators at once. The guardian and the owner can; the owner withdraws all the same.
    function pause() external;

    /// @notice Lets operators go on. Only the owner can.
    function unpause() external;
}
