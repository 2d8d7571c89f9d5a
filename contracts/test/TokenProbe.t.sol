// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {HookToken} from "../src/devnet/HookToken.sol";
import {Funding, StepKind} from "../src/libraries/PlanReader.sol";
import {TokenProbe} from "../src/TokenProbe.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

/// @notice The probe swaps one way with the Executor's steps, and tells of whoever calls it unasked.
contract TokenProbeTest is Market {
    using PlanWriter for Plan;
    using SafeERC20 for IERC20;

    uint256 private constant AMOUNT = 1e18;

    TokenProbe private probe = new TokenProbe();

    function test_one_swap_goes_through_a_pair_a_pool_and_the_vault() public {
        StepKind[3] memory kinds = [StepKind.UniswapV2, StepKind.UniswapV3, StepKind.BalancerV2];
        a.safeTransfer(address(probe), kinds.length * AMOUNT);
        for (uint256 i; i < kinds.length; ++i) {
            uint256 heldBefore = b.balanceOf(address(probe));
            Plan memory plan =
                PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(b), address(c));
            _append(plan, kinds[i], 0, 1);
            probe.walk(plan.encode());
            assertGt(b.balanceOf(address(probe)), heldBefore + AMOUNT);
        }
        assertEq(a.balanceOf(address(probe)), 0);
    }

    function test_a_call_that_nobody_waits_for_is_told() public {
        HookToken token = new HookToken(AMOUNT);
        vm.expectEmit(address(probe));
        emit TokenProbe.Entered(address(token));
        token.transfer(address(probe), 1);
    }
}
