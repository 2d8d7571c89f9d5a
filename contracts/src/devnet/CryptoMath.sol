// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The CryptoSwap invariant of two or three coins, for the local chain. Written by us from "Automatic
/// market-making with dynamic peg" and public documentation; it proves nothing about Curve's contracts.
library CryptoMath {
    error NotConverged();
    error OutOfRange(uint256 value);

    uint256 internal constant ONE = 1e18;
    uint256 private constant ROUNDS = 255;
    uint256 private constant TOLERANCE = 1e14;

    struct Curve {
        uint256 ann; // A n^n, four decimals
        uint256 gamma; // 18 decimals
        uint256 invariant;
    }

    /// @notice The balance that the others leave to coin `missing`.
    function balanceFor(Curve memory curve, uint256[] memory common, uint256 missing) internal pure returns (uint256) {
        require(curve.invariant >= 1e17 && curve.invariant <= 1e33, OutOfRange(curve.invariant));
        (uint256 high, uint256 low) = _others(common, missing);
        uint256 count = common.length;
        _requireShare(curve.invariant, high, count);
        _requireShare(curve.invariant, low, count);
        (uint256 balance, uint256 product) = _start(curve.invariant, high, low, count);
        uint256 total = count == 2 ? high : high + low;
        uint256 tolerance = _larger(_larger(high / TOLERANCE, curve.invariant / TOLERANCE), 100);
        for (uint256 round; round < ROUNDS; ++round) {
            (uint256 next, bool isStep) = _step(curve, [product, total, count], balance);
            uint256 difference = next > balance ? next - balance : balance - next;
            balance = next;
            if (isStep && difference < _larger(tolerance, next / TOLERANCE)) {
                uint256 share = next * ONE / curve.invariant;
                require(share >= 1e16 && share <= 1e20, OutOfRange(next));
                return next;
            }
        }
        revert NotConverged();
    }

    /// @notice D of all balances.
    function invariantOf(uint256 ann, uint256 gamma, uint256[] memory common) internal pure returns (uint256) {
        uint256[] memory falling = sorted(common);
        uint256 count = falling.length;
        require(falling[0] >= 1e9 && falling[0] <= 1e33, OutOfRange(falling[0]));
        for (uint256 k = 1; k < count; ++k) {
            require(falling[k] * ONE / falling[0] >= (count == 2 ? 1e14 : 1e11), OutOfRange(falling[k]));
        }
        Curve memory curve = Curve(ann, gamma, count * mean(falling));
        for (uint256 round; round < ROUNDS; ++round) {
            uint256 before = curve.invariant;
            curve.invariant = _invariantStep(curve, falling);
            uint256 difference = curve.invariant > before ? curve.invariant - before : before - curve.invariant;
            if (difference * TOLERANCE < _larger(1e16, curve.invariant)) {
                for (uint256 k; k < count; ++k) {
                    uint256 share = falling[k] * ONE / curve.invariant;
                    require(share >= 1e16 && share <= 1e20, OutOfRange(falling[k]));
                }
                return curve.invariant;
            }
        }
        revert NotConverged();
    }

    /// @notice Geometric mean; `falling` begins with the largest.
    function mean(uint256[] memory falling) internal pure returns (uint256 middle) {
        middle = falling[0];
        uint256 count = falling.length;
        for (uint256 round; round < ROUNDS; ++round) {
            uint256 before = middle;
            if (count == 2) {
                middle = (before + falling[0] * falling[1] / before) / 2;
            } else {
                uint256 share = ONE;
                for (uint256 k; k < count; ++k) {
                    share = share * falling[k] / before;
                }
                middle = before * ((count - 1) * ONE + share) / (count * ONE);
            }
            uint256 difference = middle > before ? middle - before : before - middle;
            if (difference <= 1 || difference * ONE < middle) return middle;
        }
        revert NotConverged();
    }

    /// @notice How even the balances are: n^n times their product over the power of their sum, 18 decimals.
    function evenness(uint256[] memory common) internal pure returns (uint256 even) {
        uint256 count = common.length;
        uint256 total;
        for (uint256 k; k < count; ++k) {
            total += common[k];
        }
        if (count == 2) return 4 * ONE * common[0] / total * common[1] / total;
        even = ONE;
        for (uint256 k; k < count; ++k) {
            even = even * count * common[k] / total;
        }
    }

    function sorted(uint256[] memory values) internal pure returns (uint256[] memory falling) {
        uint256 count = values.length;
        falling = new uint256[](count);
        for (uint256 k; k < count; ++k) {
            uint256 place = k;
            for (; place > 0 && falling[place - 1] < values[k]; --place) {
                falling[place] = falling[place - 1];
            }
            falling[place] = values[k];
        }
    }

    function _others(uint256[] memory common, uint256 missing) private pure returns (uint256 high, uint256 low) {
        if (common.length == 2) return (common[1 - missing], common[1 - missing]);
        (high, low) = (common[(missing + 1) % 3], common[(missing + 2) % 3]);
        if (low > high) (high, low) = (low, high);
    }

    function _requireShare(uint256 invariant, uint256 balance, uint256 count) private pure {
        uint256 parts = count == 2 ? 2 : 1;
        uint256 share = parts * ONE * balance / invariant;
        require(share >= 1e16 * parts && share <= 1e20 * parts, OutOfRange(balance));
    }

    function _start(uint256 invariant, uint256 high, uint256 low, uint256 count)
        private
        pure
        returns (uint256 balance, uint256 product)
    {
        product = ONE * high * count / invariant;
        if (count == 2) return (invariant * invariant / (high * 4), product);
        product = product * low * 3 / invariant;
        balance = invariant / 3 * invariant / (low * 3) * invariant / (high * 3);
    }

    /// @param known product of the others (K0 without this balance), their sum, number of coins.
    function _step(Curve memory curve, uint256[3] memory known, uint256 balance)
        private
        pure
        returns (uint256 next, bool isStep)
    {
        uint256 k0 = known[0] * balance * known[2] / curve.invariant;
        uint256 gap = _gap(curve.gamma, k0);
        uint256 weight = _weight(curve, gap);
        uint256 factor = ONE + 2 * ONE * k0 / gap;
        uint256 total = known[1] + balance;
        uint256 rise = ONE * balance + total * factor + weight;
        if (rise < curve.invariant * factor) return (balance / 2, false);
        rise -= curve.invariant * factor;
        uint256 slope = rise / balance;
        uint256 down = weight / slope;
        uint256 up = (rise + ONE * curve.invariant) / slope + down * ONE / k0;
        down += ONE * total / slope;
        return (up < down ? balance / 2 : up - down, true);
    }

    function _invariantStep(Curve memory curve, uint256[] memory falling) private pure returns (uint256) {
        uint256 k0 = _product(falling, curve.invariant);
        uint256 total = falling[0] + falling[1] + (falling.length == 3 ? falling[2] : 0);
        uint256 gap = _gap(curve.gamma, k0);
        uint256 weight = _weight(curve, gap);
        uint256 factor = 2 * ONE * falling.length * k0 / gap;
        uint256 slope = total + total * factor / ONE + weight * falling.length / k0 - factor * curve.invariant / ONE;
        uint256 up = curve.invariant * (slope + total) / slope;
        uint256 down = curve.invariant * curve.invariant / slope;
        uint256 change = curve.invariant * (weight / slope) / ONE;
        if (k0 < ONE) down += change * (ONE - k0) / k0;
        else down -= change * (k0 - ONE) / k0;
        return up > down ? up - down : (down - up) / 2;
    }

    function _product(uint256[] memory falling, uint256 invariant) private pure returns (uint256 k0) {
        if (falling.length == 2) return 4 * ONE * falling[0] / invariant * falling[1] / invariant;
        k0 = ONE;
        for (uint256 k; k < 3; ++k) {
            k0 = k0 * falling[k] * 3 / invariant;
        }
    }

    function _gap(uint256 gamma, uint256 k0) private pure returns (uint256) {
        return gamma + ONE > k0 ? gamma + ONE - k0 + 1 : k0 - gamma - ONE + 1;
    }

    function _weight(Curve memory curve, uint256 gap) private pure returns (uint256) {
        return ONE * curve.invariant / curve.gamma * gap / curve.gamma * gap * 10_000 / curve.ann;
    }

    function _larger(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
