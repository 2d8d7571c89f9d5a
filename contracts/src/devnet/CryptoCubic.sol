// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice CryptoSwap's invariant in closed form, in the machine's own signed arithmetic: a second hand for the project's
/// Python. Written by us from public documentation; it proves nothing about Curve's contracts.
contract CryptoCubic {
    error NegativeRoot();

    int256 private constant ONE = 1e18;
    uint256 private constant SCALED_BELOW = type(uint256).max / 1e36;

    struct Cubic {
        int256 a;
        int256 b;
        int256 c;
        int256 d;
    }

    /// @return balance of the third coin, and K0; both 0 where the contracts fall back to Newton's method.
    function ofThree(int256 ann, int256 gamma, int256 invariant, int256 low, int256 high)
        external
        pure
        returns (uint256 balance, uint256 k0)
    {
        Cubic memory cubic = _scaledThree(_three(ann, gamma, invariant, low, high));
        (int256 root, bool isReal) = _rootOfThree(cubic);
        if (!isReal) return (0, 0);
        balance = _positive(_over(_scale(invariant, low, high) * root, cubic.a));
        k0 = _positive(_over(ONE * root, cubic.a));
    }

    /// @return balance of the second coin, and K0; both 0 where the contracts fall back to Newton's method.
    function ofTwo(int256 ann, int256 gamma, int256 invariant, int256 other)
        external
        pure
        returns (uint256 balance, uint256 k0)
    {
        Cubic memory cubic = _scaledTwo(_two(ann, gamma, invariant, other));
        (int256 delta0, int256 delta1) = _deltas(cubic);
        (int256 c1, bool isReal) = _roots(cubic.b, delta0, delta1);
        if (!isReal) return (0, 0);
        int256 root = _over(ONE * c1 - ONE * cubic.b - ONE * cubic.b / c1 * delta0, 3 * cubic.a);
        return (_positive(_over(_over(invariant * invariant / other * root, 4), ONE)), _positive(root));
    }

    function cubeRoot(uint256 value) public pure returns (uint256 root) {
        uint256 lost = value < SCALED_BELOW ? 0 : value < SCALED_BELOW * 1e18 ? 6 : 12;
        uint256 scaled = value * 10 ** (36 - 3 * lost);
        uint256 log = Math.log2(scaled);
        root = 2 ** (log / 3) * 1260 ** (log % 3) / 1000 ** (log % 3);
        for (uint256 round; round < 7; ++round) {
            root = (2 * root + (root == 0 ? 0 : scaled / (root * root))) / 3;
        }
        return root * 10 ** lost;
    }

    function _three(int256 ann, int256 gamma, int256 invariant, int256 low, int256 high)
        private
        pure
        returns (Cubic memory cubic)
    {
        int256 square = gamma * gamma;
        int256 taken = invariant * invariant / low * square * ann / 729 / 10_000 / high;
        int256 excess = square * (low + high - invariant) / invariant;
        cubic.a = 1e36 / int256(27);
        cubic.b = 1e36 / int256(9) + 2 * ONE * gamma / 27 - taken;
        cubic.c = 1e36 / int256(9) + gamma * (gamma + 4 * ONE) / 27 + excess * ann / 27 / 10_000;
        cubic.d = (ONE + gamma) ** 2 / 27;
    }

    function _rootOfThree(Cubic memory cubic) private pure returns (int256 root, bool isReal) {
        int256 tripleAc = 3 * cubic.a * cubic.c;
        int256 delta0 = _over(tripleAc, cubic.b) - cubic.b;
        int256 delta1 = _over(3 * tripleAc, cubic.b) - 2 * cubic.b;
        delta1 -= _over(_over(27 * cubic.a * cubic.a, cubic.b) * cubic.d, cubic.b);
        int256 c1;
        (c1, isReal) = _roots(cubic.b, delta0, delta1);
        if (isReal) root = _over(cubic.b + cubic.b * delta0 / c1 - c1, 3);
    }

    function _scale(int256 invariant, int256 low, int256 high) private pure returns (int256) {
        return invariant * invariant / 27 / high * invariant / low;
    }

    function _two(int256 ann, int256 gamma, int256 invariant, int256 other) private pure returns (Cubic memory cubic) {
        int256 strength = ann * gamma * gamma;
        int256 quarter = 4 * strength / 4e8;
        cubic.a = 1e32;
        cubic.b = invariant * strength / 4e8 / other - 3e32 - 2 * gamma * 1e14;
        cubic.c = 3e32 + 4 * gamma * 1e14 + gamma * gamma / 1e4 + quarter * other / invariant - quarter;
        cubic.d = -((ONE + gamma) ** 2 / 1e4);
    }

    function _scaledThree(Cubic memory cubic) private pure returns (Cubic memory) {
        uint256 size = _size(3 * cubic.a * cubic.c / cubic.b - cubic.b);
        int256 divider = 1;
        if (size > 1e20) divider = 1e2;
        for (uint256 digits = 24; digits <= 48; digits += 4) {
            if (size > 10 ** digits) divider = int256(10 ** (digits - 18));
        }
        bool isWide = uint256(cubic.a) > _size(cubic.b);
        int256 ratio = isWide ? _over(cubic.a, cubic.b) : _over(cubic.b, cubic.a);
        if (ratio < 0) ratio = -ratio;
        return Cubic(
            _scaled(cubic.a, ratio, divider, isWide),
            _scaled(cubic.b, ratio, divider, isWide),
            _scaled(cubic.c, ratio, divider, isWide),
            _scaled(cubic.d, ratio, divider, isWide)
        );
    }

    function _scaledTwo(Cubic memory cubic) private pure returns (Cubic memory) {
        int256 delta0 = 3 * cubic.a * cubic.c / cubic.b - cubic.b;
        int256 delta1 = 3 * delta0 + cubic.b - 27 * cubic.a * cubic.a / cubic.b * cubic.d / cubic.b;
        uint256 size = Math.min(Math.min(_size(delta0), _size(delta1)), uint256(cubic.a));
        int256 divider = 1;
        if (size > 1e20) divider = 1e2;
        for (uint256 digits = 24; digits <= 48; digits += 2) {
            if (size > 10 ** digits) divider = int256(10 ** (digits - 18));
        }
        return Cubic(_over(cubic.a, divider), _over(cubic.b, divider), _over(cubic.c, divider), _over(cubic.d, divider));
    }

    function _deltas(Cubic memory cubic) private pure returns (int256 delta0, int256 delta1) {
        delta0 = _over(3 * cubic.a * cubic.c, cubic.b) - cubic.b;
        delta1 = 3 * delta0 + cubic.b - _over(_over(27 * cubic.a * cubic.a, cubic.b) * cubic.d, cubic.b);
    }

    function _roots(int256 b, int256 delta0, int256 delta1) private pure returns (int256 c1, bool isReal) {
        int256 under = delta1 * delta1 + _over(4 * delta0 * delta0, b) * delta0;
        if (under <= 0) return (0, false);
        int256 root = int256(Math.sqrt(uint256(under)));
        int256 ofB = int256(cubeRoot(_size(b)));
        int256 second =
            delta1 > 0 ? int256(cubeRoot(uint256(delta1 + root) / 2)) : -int256(cubeRoot(uint256(root - delta1) / 2));
        return (_over(ofB * ofB / ONE * second, ONE), true);
    }

    function _scaled(int256 value, int256 ratio, int256 divider, bool isWide) private pure returns (int256) {
        return _over(isWide ? value * ratio : _over(value, ratio), divider);
    }

    function _positive(int256 value) private pure returns (uint256) {
        require(value >= 0, NegativeRoot());
        return uint256(value);
    }

    function _size(int256 value) private pure returns (uint256) {
        return uint256(value < 0 ? -value : value);
    }

    /// @dev The machine's own division: towards zero, and 0 for a divisor of 0.
    function _over(int256 dividend, int256 divisor) private pure returns (int256 quotient) {
        assembly ("memory-safe") {
            quotient := sdiv(dividend, divisor)
        }
    }
}
