// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Manner, StrategyDouble} from "./vault/StrategyDouble.sol";
import {VaultFixture} from "./vault/VaultFixture.sol";
import {VaultHandler} from "./vault/VaultHandler.sol";

/// @notice One invariant, so that the same calls serve all of it.
/// forge-config: default.invariant.runs = 5
/// forge-config: default.invariant.depth = 800
/// forge-config: default.invariant.fail-on-revert = true
contract VaultInvariantsTest is VaultFixture {
    uint256 private constant LEAST_OFTEN = 1;

    VaultHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new VaultHandler(token, vault, first, second, OPERATOR);
        targetContract(address(handler));
    }

    function invariant_nothing_is_promised_that_is_not_there() public view {
        _requireWhatIsSoldToBeThere();
        _requireSharesToAddUp();
        _requireDebtsToAddUp();
        _requireNoAllowance();
        _requireLocksToBeHeld();
    }

    function _requireWhatIsSoldToBeThere() private view {
        uint256 reachable = token.balanceOf(address(vault)) + _counted(first) + _counted(second);
        assertLe(vault.totalAssets(), reachable, "more is promised than is there");
        assertLe(vault.totalAssets(), vault.entryAssets(), "shares are sold above the price they are bought at");
        assertLe(vault.entryAssets(), token.balanceOf(address(vault)) + vault.totalDebt());
    }

    function _requireSharesToAddUp() private view {
        uint256 sum =
            vault.previewRedeem(vault.balanceOf(OWNER)) + vault.previewRedeem(vault.balanceOf(address(locker)));
        for (uint256 i; i < 3; ++i) {
            sum += vault.previewRedeem(vault.balanceOf(handler.depositors(i)));
        }
        assertLe(sum, vault.totalAssets());
    }

    function _requireDebtsToAddUp() private view {
        assertEq(vault.totalDebt(), vault.debtOf(address(first)) + vault.debtOf(address(second)));
    }

    function _requireNoAllowance() private view {
        assertEq(token.allowance(address(vault), address(first)), 0);
        assertEq(token.allowance(address(vault), address(second)), 0);
        assertEq(token.allowance(address(vault), address(locker)), 0);
    }

    function _requireLocksToBeHeld() private view {
        uint256 locked;
        for (uint256 i; i < handler.lockCount(); ++i) {
            locked += locker.lockOf(handler.lockIds(i)).shares;
        }
        assertEq(locked, locker.totalLocked());
        assertGe(vault.balanceOf(address(locker)), locked);
    }

    /// @dev At the end of every run everybody leaves, locks first. Strategies that pay what they say are enough for it.
    function afterInvariant() public {
        _printCounts();
        handler.repent(0);
        handler.repent(1);
        skip(366 days);
        while (handler.lockCount() != 0) {
            handler.unlock(0);
        }
        assertEq(locker.totalLocked(), 0);
        assertEq(locker.totalWeight(), 0);
        address[4] memory all = [handler.depositors(0), handler.depositors(1), handler.depositors(2), OWNER];
        for (uint256 i; i < 4; ++i) {
            uint256 assets = vault.maxWithdraw(all[i]);
            assertEq(_redeemAll(all[i]), assets);
        }
        assertEq(vault.totalSupply(), vault.balanceOf(address(locker)), "somebody could not leave");
    }

    function _counted(StrategyDouble strategy) private view returns (uint256 assets) {
        Manner manner = strategy.reads();
        uint256 debt = vault.debtOf(address(strategy));
        if (manner == Manner.Lying) assets = strategy.said();
        else if (manner == Manner.Honest) assets = token.balanceOf(address(strategy));
        else if (manner == Manner.AnsweringTooLong) assets = 7;
        return assets < debt ? assets : debt;
    }

    function _printCounts() private {
        bytes32[17] memory actions = [
            bytes32("deposit"),
            "mint",
            "withdraw",
            "redeem",
            "donate",
            "sandwich",
            "allocate",
            "free",
            "harvest",
            "earn",
            "steal",
            "lie",
            "refuseToPay",
            "writeOff",
            "lock",
            "claim",
            "unlock"
        ];
        for (uint256 i; i < actions.length; ++i) {
            uint256 count = handler.done(actions[i]);
            emit log_named_uint(string(abi.encodePacked(actions[i])), count);
            assertGe(count, LEAST_OFTEN, string(abi.encodePacked("hardly ever: ", actions[i])));
        }
    }
}
