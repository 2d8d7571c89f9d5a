// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice An amount that is set free evenly between `updatedAt` and `end`. Times are seconds of the chain's clock.
struct Release {
    uint128 amount;
    uint64 updatedAt;
    uint64 end;
}

/// @title LinearRelease
/// @notice Sets an amount free by the second. What is added later gets the full period, and all of it together the mean of
/// the remaining times, weighted by amount: adding a grain of dust does not put off what is on its way.
library LinearRelease {
    using Math for uint256;
    using SafeCast for uint256;

    /// @return What is still locked at `time`, rounded up. `time` is not before `updatedAt`.
    function lockedAt(Release memory self, uint256 time) internal pure returns (uint256) {
        if (time >= self.end) return 0;
        return Math.mulDiv(self.amount, self.end - time, self.end - self.updatedAt, Math.Rounding.Ceil);
    }

    /// @return The same release from `time` on, with `gain` more to be set free over `period`.
    function plus(Release memory self, uint256 gain, uint256 period, uint256 time)
        internal
        pure
        returns (Release memory)
    {
        uint256 left = lockedAt(self, time);
        uint256 total = left + gain;
        if (total == 0) return startingAt(0, time, time);
        uint256 remaining = left == 0 ? 0 : self.end - time;
        return startingAt(total, time, time + (left * remaining + gain * period) / total);
    }

    function startingAt(uint256 amount, uint256 time, uint256 end) internal pure returns (Release memory) {
        return Release(amount.toUint128(), time.toUint64(), end.toUint64());
    }
}
