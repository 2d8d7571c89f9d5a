// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Vault} from "../src/Vault.sol";
import {
    BoastsBelieved,
    CapWithoutNotice,
    FeeAboveTheCap,
    FeeInspiteOfLosses,
    GasNotAskedFor,
    LossNotGivenUp,
    LossNotTakenAlong,
    MaximumLossIgnored,
    OnePrice,
    ProfitNotLocked,
    RoundingDownAssets,
    RoundingDownShares,
    RoundingUpAssets,
    RoundingUpShares,
    WithoutVirtualShares
} from "./mutants/VaultMutants.sol";
import {VaultProperties} from "./vault/VaultProperties.sol";

/// @notice Every property holds of the Vault, and every planted bug breaks the property that is named with it.
contract VaultPropertiesTest is VaultProperties {
    function test_every_property_holds() public {
        bytes4[12] memory properties = [
            this.inflating_the_first_share_costs_the_attacker.selector,
            this.nobody_gains_by_coming_just_before_a_profit.selector,
            this.no_rounding_is_in_favour_of_the_caller.selector,
            this.who_leaves_takes_a_fair_part_of_a_loss.selector,
            this.a_strategy_that_looks_poor_for_a_moment_sells_nothing_cheaply.selector,
            this.a_strategy_that_boasts_adds_nothing.selector,
            this.the_fee_is_what_was_agreed.selector,
            this.losses_are_earned_back_before_there_is_a_fee.selector,
            this.too_little_gas_never_makes_a_strategy_look_empty.selector,
            this.a_loss_above_the_stated_maximum_is_refused.selector,
            this.nothing_goes_to_a_strategy_before_its_notice_has_run.selector,
            this.profit_is_released_evenly.selector
        ];
        for (uint256 i; i < properties.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (bool isHeld, bytes memory reason) = address(this).call(abi.encodeWithSelector(properties[i]));
            if (!isHeld) emit log_named_bytes32("broken", properties[i]);
            if (!isHeld) _revertWith(reason);
            vm.revertToState(snapshot);
        }
    }

    function test_without_virtual_shares_the_first_depositor_is_robbed() public {
        _requireCaught(
            new WithoutVirtualShares(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.inflating_the_first_share_costs_the_attacker.selector
        );
    }

    function test_profit_that_is_not_locked_is_caught() public {
        ProfitNotLocked mutant = new ProfitNotLocked(token, OWNER, FEE_BPS, LOCKER_BPS);
        _requireCaught(mutant, this.nobody_gains_by_coming_just_before_a_profit.selector);
        _requireCaught(mutant, this.profit_is_released_evenly.selector);
    }

    function test_each_wrong_rounding_is_caught() public {
        bytes4 property = this.no_rounding_is_in_favour_of_the_caller.selector;
        _requireCaught(new RoundingUpShares(token, OWNER, FEE_BPS, LOCKER_BPS), property);
        _requireCaught(new RoundingDownShares(token, OWNER, FEE_BPS, LOCKER_BPS), property);
        _requireCaught(new RoundingUpAssets(token, OWNER, FEE_BPS, LOCKER_BPS), property);
        _requireCaught(new RoundingDownAssets(token, OWNER, FEE_BPS, LOCKER_BPS), property);
    }

    function test_a_loss_that_is_not_shared_is_caught() public {
        bytes4 property = this.who_leaves_takes_a_fair_part_of_a_loss.selector;
        _requireCaught(new LossNotTakenAlong(token, OWNER, FEE_BPS, LOCKER_BPS), property);
        _requireCaught(new LossNotGivenUp(token, OWNER, FEE_BPS, LOCKER_BPS), property);
    }

    function test_one_price_for_both_ways_is_caught() public {
        _requireCaught(
            new OnePrice(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.a_strategy_that_looks_poor_for_a_moment_sells_nothing_cheaply.selector
        );
    }

    function test_believing_a_strategy_is_caught() public {
        _requireCaught(
            new BoastsBelieved(token, OWNER, FEE_BPS, LOCKER_BPS), this.a_strategy_that_boasts_adds_nothing.selector
        );
    }

    function test_a_fee_above_what_was_agreed_is_caught() public {
        _requireCaught(new FeeAboveTheCap(token, OWNER, FEE_BPS, LOCKER_BPS), this.the_fee_is_what_was_agreed.selector);
    }

    function test_a_fee_before_losses_are_earned_back_is_caught() public {
        _requireCaught(
            new FeeInspiteOfLosses(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.losses_are_earned_back_before_there_is_a_fee.selector
        );
    }

    function test_reading_with_whatever_gas_there_is_is_caught() public {
        _requireCaught(
            new GasNotAskedFor(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.too_little_gas_never_makes_a_strategy_look_empty.selector
        );
    }

    function test_ignoring_the_maximum_loss_is_caught() public {
        _requireCaught(
            new MaximumLossIgnored(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.a_loss_above_the_stated_maximum_is_refused.selector
        );
    }

    function test_ignoring_caps_and_notices_is_caught() public {
        _requireCaught(
            new CapWithoutNotice(token, OWNER, FEE_BPS, LOCKER_BPS),
            this.nothing_goes_to_a_strategy_before_its_notice_has_run.selector
        );
    }

    function _requireCaught(Vault mutant, bytes4 property) private {
        uint256 snapshot = vm.snapshotState();
        _use(mutant);
        (bool isHeld,) = address(this).call(abi.encodeWithSelector(property));
        assertFalse(isHeld, "a planted bug was not found");
        vm.revertToState(snapshot);
    }

    function _revertWith(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
