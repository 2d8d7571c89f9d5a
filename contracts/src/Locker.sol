// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ILocker, Term} from "./interfaces/ILocker.sol";
import {IVault} from "./interfaces/IVault.sol";
import {LinearRelease, Release} from "./libraries/LinearRelease.sol";

/// @title Locker
/// @notice Holds shares of a Vault for a fixed term, and shares out by weight what it is sent of them: a part of the fee.
///
/// It has no owner. A lock's end is fixed when it is made, and only its owner can ever receive its shares: at the end in
/// any case, and before it while the Vault gives notice of a new strategy or a higher cap. Nobody has to wait out a lock
/// with a risk that was not there when it was made.
///
/// What comes in is released evenly over `RELEASE_PERIOD`, and every second's part goes to the weight locked in that
/// second. A lock earns until its end and not after: the weight is the price of not being able to leave. Nobody has to call
/// anything for that: terms end at midnight, and a settlement walks over the midnights since the last one. While nobody is
/// locked nothing is released.
///
/// Every rounding is down. What it leaves stays here, so that all locks can always be paid.
contract Locker is ILocker {
    using LinearRelease for Release;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 public constant RELEASE_PERIOD = 7 days;
    uint256 internal constant PER_WEIGHT_SCALE = 1 << 128;

    address public immutable vault;
    uint256 public totalWeight;
    uint256 public totalLocked;

    Release private stream;
    uint256 private perWeight;
    uint256 private counted;
    uint256 private lockCount;
    mapping(uint256 => Lock) private locks;
    mapping(uint256 => uint256) private weightEndingOn;
    mapping(uint256 => uint256) private perWeightAtEndOf;

    constructor(address sharesOf) {
        vault = sharesOf;
        stream = LinearRelease.startingAt(0, block.timestamp, block.timestamp);
    }

    modifier onlyOwnerOf(uint256 id) {
        if (locks[id].owner != msg.sender) revert NotOwnerOfLock(id, msg.sender);
        _;
    }

    /// @inheritdoc ILocker
    function lock(uint256 shares, Term term) external returns (uint256 id) {
        if (shares == 0) revert NothingToLock();
        settle();

        (uint256 duration, uint256 weightPerShare) = _termsOf(term);
        uint256 weight = shares * weightPerShare;
        uint256 endDay = Math.ceilDiv(block.timestamp + duration, 1 days);
        id = ++lockCount;
        locks[id] = Lock(
            msg.sender, uint64(block.timestamp), endDay.toUint32(), shares.toUint128(), weight.toUint128(), perWeight
        );
        weightEndingOn[endDay] += weight;
        totalWeight += weight;
        totalLocked += shares;
        counted += shares;
        emit Locked(id, msg.sender, shares, weight, endDay * 1 days);
        IERC20(vault).safeTransferFrom(msg.sender, address(this), shares);
    }

    /// @inheritdoc ILocker
    function claim(uint256 id) external onlyOwnerOf(id) returns (uint256 reward) {
        settle();
        reward = _takeReward(id);
        counted -= reward;
        IERC20(vault).safeTransfer(msg.sender, reward);
    }

    /// @inheritdoc ILocker
    function unlock(uint256 id) external onlyOwnerOf(id) returns (uint256 shares, uint256 reward) {
        settle();
        reward = _takeReward(id);
        Lock memory held = locks[id];
        shares = held.shares;
        if (!_hasEnded(held)) {
            if (!_isOpenedByNotice(held)) revert StillLocked(id, lockedUntil(id));
            weightEndingOn[held.endDay] -= held.weight;
            totalWeight -= held.weight;
        }
        delete locks[id];
        totalLocked -= shares;
        counted -= shares + reward;
        emit Unlocked(id, shares);
        IERC20(vault).safeTransfer(msg.sender, shares + reward);
    }

    /// @inheritdoc ILocker
    function settle() public {
        _shareOut();
        uint256 received = IERC20(vault).balanceOf(address(this)) - counted;
        if (received == 0) return;
        counted += received;
        stream = stream.plus(received, _releasePeriod(), block.timestamp);
        emit RewardReceived(received);
    }

    /// @inheritdoc ILocker
    function lockOf(uint256 id) external view returns (Lock memory) {
        return locks[id];
    }

    /// @inheritdoc ILocker
    function lockedUntil(uint256 id) public view returns (uint256) {
        return uint256(locks[id].endDay) * 1 days;
    }

    /// @dev From midnight to midnight, because there the weight changes. It reads one slot for
    /// each day since the last time, and at most for a year: no lock is longer.
    function _shareOut() internal {
        Release memory left = stream;
        uint256 weight = totalWeight;
        uint256 sum = perWeight;
        uint256 time = left.updatedAt;
        while (time < block.timestamp && weight != 0) {
            uint256 day = time / 1 days + 1;
            time = Math.min(day * 1 days, block.timestamp);
            uint256 remaining = left.lockedAt(time);
            sum += Math.mulDiv(left.amount - remaining, PER_WEIGHT_SCALE, weight);
            left = LinearRelease.startingAt(remaining, time, left.end);
            if (time == day * 1 days) weight = _endDay(day, weight, sum);
        }
        uint256 waited = block.timestamp - time;
        stream = LinearRelease.startingAt(left.amount, block.timestamp, left.end + waited);
        totalWeight = weight;
        perWeight = sum;
    }

    /// @return The weight that is left.
    function _endDay(uint256 day, uint256 weight, uint256 sum) internal virtual returns (uint256) {
        uint256 ending = weightEndingOn[day];
        if (ending == 0) return weight;
        perWeightAtEndOf[day] = sum;
        return weight - ending;
    }

    function _takeReward(uint256 id) internal returns (uint256 reward) {
        Lock storage held = locks[id];
        uint256 sum = _hasEnded(held) ? perWeightAtEndOf[held.endDay] : perWeight;
        reward = Math.mulDiv(held.weight, sum - held.paidPerWeight, PER_WEIGHT_SCALE);
        held.paidPerWeight = sum;
        emit RewardPaid(id, reward);
    }

    function _hasEnded(Lock memory held) internal view virtual returns (bool) {
        return block.timestamp >= uint256(held.endDay) * 1 days;
    }

    function _isOpenedByNotice(Lock memory held) internal view virtual returns (bool) {
        return held.lockedAt <= IVault(vault).announcedAt() && block.timestamp < IVault(vault).noticeEnd();
    }

    function _releasePeriod() internal view virtual returns (uint256) {
        return RELEASE_PERIOD;
    }

    function _termsOf(Term term) internal pure virtual returns (uint256 duration, uint256 weightPerShare) {
        if (term == Term.Month) return (30 days, 1);
        if (term == Term.Quarter) return (90 days, 2);
        if (term == Term.HalfYear) return (180 days, 3);
        return (365 days, 4);
    }
}
