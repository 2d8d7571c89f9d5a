// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Locker} from "../../src/Locker.sol";
import {Term} from "../../src/interfaces/ILocker.sol";

/// @notice Bugs planted in the Locker, one each, which the tests must find.
contract LockerNeverHolding is Locker {
    constructor(address vault) Locker(vault) {}

    function _isOpenedByNotice(Lock memory) internal pure override returns (bool) {
        return true;
    }
}

contract LockerDeafToNotices is Locker {
    constructor(address vault) Locker(vault) {}

    function _isOpenedByNotice(Lock memory) internal pure override returns (bool) {
        return false;
    }
}

contract LockerNeverOpening is Locker {
    constructor(address vault) Locker(vault) {}

    function _hasEnded(Lock memory) internal pure override returns (bool) {
        return false;
    }
}

contract LockerPayingAfterTheEnd is Locker {
    constructor(address vault) Locker(vault) {}

    function _endDay(uint256, uint256 weight, uint256) internal pure override returns (uint256) {
        return weight;
    }

    function _hasEnded(Lock memory held) internal view override returns (bool) {
        return super._hasEnded(held) && msg.sig == this.lockedUntil.selector;
    }
}

contract LockerKeepingEndedWeight is Locker {
    constructor(address vault) Locker(vault) {}

    function _endDay(uint256 day, uint256 weight, uint256 sum) internal override returns (uint256) {
        super._endDay(day, weight, sum);
        return weight;
    }
}

contract LockerWithEqualWeights is Locker {
    constructor(address vault) Locker(vault) {}

    function _termsOf(Term term) internal pure override returns (uint256 duration, uint256 weightPerShare) {
        (duration,) = super._termsOf(term);
        weightPerShare = 1;
    }
}

contract LockerPayingAtOnce is Locker {
    constructor(address vault) Locker(vault) {}

    function _releasePeriod() internal pure override returns (uint256) {
        return 1;
    }
}
