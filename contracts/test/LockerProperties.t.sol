// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Locker} from "../src/Locker.sol";
import {
    LockerDeafToNotices,
    LockerKeepingEndedWeight,
    LockerNeverHolding,
    LockerNeverOpening,
    LockerPayingAfterTheEnd,
    LockerPayingAtOnce,
    LockerWithEqualWeights
} from "./mutants/LockerMutants.sol";
import {LockerProperties} from "./vault/LockerProperties.sol";

/// @notice Every property holds of the Locker, and every planted bug breaks the property that is named with it.
contract LockerPropertiesTest is LockerProperties {
    function test_a_lock_holds_until_its_end() public {
        this.a_lock_holds_until_its_end_and_opens_then();
    }

    function test_a_notice_opens_locks() public {
        this.a_notice_opens_the_locks_that_were_there_and_no_others();
    }

    function test_rewards_go_by_weight() public {
        this.rewards_are_shared_by_weight();
    }

    function test_rewards_end_with_the_lock() public {
        this.nothing_is_earned_after_the_end();
    }

    function test_rewards_cannot_be_snatched() public {
        this.nobody_gains_by_locking_just_before_a_reward();
    }

    function test_every_planted_bug_is_caught() public {
        address of_ = address(vault);
        _requireCaught(new LockerNeverHolding(of_), this.a_lock_holds_until_its_end_and_opens_then.selector);
        _requireCaught(new LockerNeverOpening(of_), this.a_lock_holds_until_its_end_and_opens_then.selector);
        _requireCaught(
            new LockerNeverHolding(of_), this.a_notice_opens_the_locks_that_were_there_and_no_others.selector
        );
        _requireCaught(
            new LockerDeafToNotices(of_), this.a_notice_opens_the_locks_that_were_there_and_no_others.selector
        );
        _requireCaught(new LockerWithEqualWeights(of_), this.rewards_are_shared_by_weight.selector);
        _requireCaught(new LockerPayingAfterTheEnd(of_), this.nothing_is_earned_after_the_end.selector);
        _requireCaught(new LockerKeepingEndedWeight(of_), this.nothing_is_earned_after_the_end.selector);
        _requireCaught(new LockerPayingAtOnce(of_), this.nobody_gains_by_locking_just_before_a_reward.selector);
    }

    function _requireCaught(Locker mutant, bytes4 property) private {
        uint256 snapshot = vm.snapshotState();
        _useLocker(mutant);
        (bool isHeld,) = address(this).call(abi.encodeWithSelector(property));
        assertFalse(isHeld, "a planted bug was not found");
        vm.revertToState(snapshot);
    }
}
