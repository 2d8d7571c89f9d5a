// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title SolidlyCurve
/// @notice x^3 y + x y^3 in 18 decimals, and its two roots: of the first contracts of Solidly's family, and of the later.
/// @dev For the local chain; see `SolidlyDevPair` for what it proves and what not.
library SolidlyCurve {
    error NotConverged();

    uint256 private constant ONE = 1e18;
    uint256 private constant ITERATIONS_MAX = 255;

    /// @notice As k is computed, each product rounded down.
    function value(uint256 x, uint256 y) internal pure returns (uint256) {
        uint256 product = x * y / ONE;
        uint256 squares = x * x / ONE + y * y / ONE;
        return product * squares / ONE;
    }

    /// @notice Ends at the first step of at most 1, on either side of the curve.
    function firstRoot(uint256 x, uint256 k, uint256 y) internal pure returns (uint256) {
        for (uint256 i = 0; i < ITERATIONS_MAX; ++i) {
            uint256 found = _valueByCubes(x, y);
            uint256 step = (found < k ? k - found : found - k) * ONE / _slope(x, y);
            y = found < k ? y + step : y - step;
            if (step <= 1) return y;
        }
        return y;
    }

    /// @notice Ends at a y that reaches k. The last question before y + 1 is asked of numbers scaled once too often.
    function laterRoot(uint256 x, uint256 k, uint256 y, uint256 scale0, uint256 scale1)
        internal
        pure
        returns (uint256)
    {
        for (uint256 i = 0; i < ITERATIONS_MAX; ++i) {
            uint256 found = value(x, y);
            uint256 step = (found < k ? k - found : found - k) * ONE / _slope(x, y);
            if (found == k) return y;
            if (found < k) {
                if (step == 0 && value(x * ONE / scale0, (y + 1) * ONE / scale1) > k) return y + 1;
                y += step == 0 ? 1 : step;
            } else {
                if (step == 0 && value(x, y - 1) < k) return y;
                y -= step == 0 ? 1 : step;
            }
        }
        revert NotConverged();
    }

    function _valueByCubes(uint256 x, uint256 y) private pure returns (uint256) {
        return x * _cube(y) / ONE + _cube(x) * y / ONE;
    }

    function _slope(uint256 x, uint256 y) private pure returns (uint256) {
        return 3 * x * (y * y / ONE) / ONE + _cube(x);
    }

    function _cube(uint256 x) private pure returns (uint256) {
        return x * x / ONE * x / ONE;
    }
}
