// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The terms for which shares can be locked, and their weight per share: 30 days 1, 90 days 2, 180 days 3, 365 days 4.
enum Term {
    Month,
    Quarter,
    HalfYear,
    Year
}

/// @notice What holders of shares call of a Locker, and how it answers.
interface ILocker {
    struct Lock {
        address owner;
        uint64 lockedAt;
        uint32 endDay;
        uint128 shares;
        uint128 weight;
        uint256 paidPerWeight;
    }

    error NothingToLock();
    error NotOwnerOfLock(uint256 id, address caller);
    error StillLocked(uint256 id, uint256 until);

    event Locked(uint256 indexed id, address indexed owner, uint256 shares, uint256 weight, uint256 until);
    event RewardReceived(uint256 shares);
    event RewardPaid(uint256 indexed id, uint256 shares);
    event Unlocked(uint256 indexed id, uint256 shares);

    /// @notice Locks shares of the caller until the midnight (UTC) on which the term ends, or the first after it.
    /// @return id What the lock is known by. It cannot be transferred.
    function lock(uint256 shares, Term term) external returns (uint256 id);

    /// @notice Pays the caller what a lock of theirs has earned.
    function claim(uint256 id) external returns (uint256 reward);

    /// @notice Returns a lock's shares and what they have earned, once it has ended, or while a notice of the Vault runs
    /// that was given after it was made.
    function unlock(uint256 id) external returns (uint256 shares, uint256 reward);

    /// @notice Shares out what has been released since the last time, and takes note of what has come in. Anybody may.
    function settle() external;

    function lockOf(uint256 id) external view returns (Lock memory);

    /// @notice Until when a lock holds, in seconds.
    function lockedUntil(uint256 id) external view returns (uint256);

    function totalWeight() external view returns (uint256);

    function totalLocked() external view returns (uint256);
}
