// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The StableSwap invariant, from the whitepaper (Egorov 2019), for the local chain's own pools.
/// @dev A n^n sum(x) + D = A D n^n + D^(n+1) / (n^n prod(x)), solved for D and for one x by Newton's method. Every
/// division rounds down. `amp` is A n^(n-1) times `precision`. It proves nothing about any other contract.
library StableMath {
    error NotConverging();

    uint256 private constant ROUNDS = 255;

    function invariant(uint256[] memory xp, uint256 amp, uint256 precision, bool divideAtEnd)
        internal
        pure
        returns (uint256 d)
    {
        uint256 n = xp.length;
        uint256 sum;
        for (uint256 k; k < n; ++k) {
            sum += xp[k];
        }
        if (sum == 0) return 0;
        d = sum;
        uint256 ann = amp * n;
        for (uint256 round; round < ROUNDS; ++round) {
            uint256 before = d;
            uint256 product = productOf(xp, d, divideAtEnd);
            d = (ann * sum / precision + product * n) * d / ((ann - precision) * d / precision + (n + 1) * product);
            if (isClose(d, before)) return d;
        }
        revert NotConverging();
    }

    /// @notice The balance `j` at which the invariant of `xp` is `d`; `xp[j]` itself is not read.
    function balance(uint256[] memory xp, uint256 j, uint256 d, uint256 amp, uint256 precision)
        internal
        pure
        returns (uint256 y)
    {
        uint256 n = xp.length;
        uint256 ann = amp * n;
        uint256 c = d;
        uint256 sum;
        for (uint256 k; k < n; ++k) {
            if (k == j) continue;
            sum += xp[k];
            c = c * d / (xp[k] * n);
        }
        c = c * d * precision / (ann * n);
        uint256 b = sum + d * precision / ann;
        y = d;
        for (uint256 round; round < ROUNDS; ++round) {
            uint256 before = y;
            y = (y * y + c) / (2 * y + b - d);
            if (isClose(y, before)) return y;
        }
        revert NotConverging();
    }

    function productOf(uint256[] memory xp, uint256 d, bool divideAtEnd) private pure returns (uint256 product) {
        uint256 n = xp.length;
        product = d;
        for (uint256 k; k < n; ++k) {
            product = product * d / (divideAtEnd ? xp[k] : xp[k] * n);
        }
        if (divideAtEnd) product /= n ** n;
    }

    function isClose(uint256 a, uint256 b) private pure returns (bool) {
        return a > b ? a - b <= 1 : b - a <= 1;
    }
}
