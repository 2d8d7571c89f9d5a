// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRoles} from "./interfaces/IRoles.sol";

/// @title Roles
/// @notice Who may do what with an Executor, and the lists that its owner keeps.
///
/// The owner, set once at construction, appoints all others, keeps the lists, and alone unpauses. The guardian pauses, and
/// nothing else. Operators execute, while nothing is paused.
/// @dev The first operator, the pause and the cap of tips lie in one storage slot, which every execution reads: what a
/// second operator costs more is the one slot of its own. An operator stands in one of the two places, never in both:
/// dismissing one that stood in both would leave it the other.
abstract contract Roles is IRoles {
    /// @dev One slot.
    struct Gate {
        address operator;
        bool isPaused;
        uint16 tipShareMaxBps;
    }

    uint16 private constant BPS = 10_000;

    address public immutable owner;
    address public guardian;
    address public treasury;
    mapping(IERC20 => bool) public isListed;

    Gate private gate;
    mapping(address => bool) private isFurtherOperator;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    constructor(address newOwner) {
        if (newOwner == address(0)) revert OwnerIsZero();
        owner = newOwner;
    }

    /// @inheritdoc IRoles
    function setOperator(address operator, bool newIsOperator) external onlyOwner {
        if (operator == address(0)) revert OperatorIsZero();
        if (gate.operator == operator) gate.operator = address(0);
        bool isFirst = newIsOperator && gate.operator == address(0);
        if (isFirst) gate.operator = operator;
        isFurtherOperator[operator] = newIsOperator && !isFirst;
        emit OperatorSet(operator, newIsOperator);
    }

    /// @inheritdoc IRoles
    function setGuardian(address newGuardian) external onlyOwner {
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    /// @inheritdoc IRoles
    function setTreasury(address newTreasury) external onlyOwner {
        treasury = newTreasury;
        emit TreasurySet(newTreasury);
    }

    /// @inheritdoc IRoles
    function setListed(IERC20[] calldata tokens, bool newIsListed) external onlyOwner {
        for (uint256 i; i < tokens.length; ++i) {
            isListed[tokens[i]] = newIsListed;
            emit TokenListed(address(tokens[i]), newIsListed);
        }
    }

    /// @inheritdoc IRoles
    function setTipShareMax(uint16 newTipShareMaxBps) external onlyOwner {
        if (newTipShareMaxBps > BPS) revert TipShareTooLarge(newTipShareMaxBps, BPS);
        gate.tipShareMaxBps = newTipShareMaxBps;
        emit TipShareMaxSet(newTipShareMaxBps);
    }

    /// @inheritdoc IRoles
    function pause() external {
        if (msg.sender != guardian && msg.sender != owner) revert NotGuardian(msg.sender);
        gate.isPaused = true;
        emit Paused(msg.sender);
    }

    /// @inheritdoc IRoles
    function unpause() external onlyOwner {
        gate.isPaused = false;
        emit Unpaused();
    }

    /// @inheritdoc IRoles
    function isOperator(address account) external view returns (bool) {
        return _isOperator(gate, account);
    }

    /// @inheritdoc IRoles
    function isPaused() external view returns (bool) {
        return gate.isPaused;
    }

    /// @inheritdoc IRoles
    function tipShareMaxBps() external view returns (uint16) {
        return gate.tipShareMaxBps;
    }

    /// @dev Reverts unless the caller is an operator and nothing is paused.
    /// @return tipShareMax The owner's cap, in basis points of the profit.
    function _authorise() internal view virtual returns (uint256 tipShareMax) {
        Gate memory current = gate;
        if (!_isOperator(current, msg.sender)) revert NotOperator(msg.sender);
        if (current.isPaused) revert IsPaused();
        return current.tipShareMaxBps;
    }

    /// @dev For a call whose caller was authorised before.
    function _tipShareMaxBps() internal view returns (uint256) {
        return gate.tipShareMaxBps;
    }

    function _isOperator(Gate memory current, address account) private view returns (bool) {
        return account != address(0) && (account == current.operator || isFurtherOperator[account]);
    }
}
