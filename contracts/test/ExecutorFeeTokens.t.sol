// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {BalanceGuard} from "../src/BalanceGuard.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FeeToken} from "../src/devnet/FeeToken.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {Market} from "./market/Market.sol";
import {IFactoryV2} from "./market/UniswapMarket.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

/// @notice Tokens whose transfers arrive short. The Vault of Balancer believes what it is told, so plans through it get
/// far; pairs and pools of Uniswap count, and refuse.
contract ExecutorFeeTokensTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;

    function test_the_guard_counts_what_arrives_not_what_was_sent() public {
        Plan memory plan = _balancerCycle(_newFeeToken(0), true);
        assertGt(executor.execute(plan.encode()), 0, "lands without a fee");

        plan = _balancerCycle(_newFeeToken(2000), true);
        vm.expectPartialRevert(BalanceGuard.ProfitBelowMinimum.selector);
        executor.execute(plan.encode());
    }

    function test_a_short_output_is_not_made_up_from_what_is_held() public {
        FeeToken feeToken = _newFeeToken(500);
        uint256 heldBefore = feeToken.balanceOf(address(executor));
        uint256 profit = executor.execute(_balancerCycle(feeToken, false).encode());
        assertEq(a.balanceOf(address(executor)), CAPITAL + profit);
        assertEq(feeToken.balanceOf(address(executor)), heldBefore);
    }

    function test_a_pair_refuses_a_short_input() public {
        FeeToken feeToken = _newFeeToken(500);
        (IFactoryV2 rich, IFactoryV2 fair) = (_newFactoryV2(), _newFactoryV2());
        Plan memory plan =
            PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(a), address(feeToken), address(b));
        plan.stepV2(0, 1, FEE_PIPS, _newPair(rich, a, feeToken, RESERVE, 2 * RESERVE));
        plan.stepV2(1, 0, FEE_PIPS, _newPair(fair, a, feeToken, RESERVE, RESERVE));
        vm.expectRevert("UniswapV2: K");
        executor.execute(plan.encode());
    }

    function _newFeeToken(uint256 feeBps) private returns (FeeToken feeToken) {
        feeToken = new FeeToken("F", "F", type(uint128).max, feeBps);
        feeToken.transfer(address(executor), CAPITAL);
        _setListed(feeToken);
    }

    /// @dev There and back between a and the fee token: 10 % up in the rich pool, then one for one in the fair pool.
    function _balancerCycle(FeeToken feeToken, bool isFeeTokenFirst) private returns (Plan memory plan) {
        (IERC20 first, IERC20 second) = isFeeTokenFirst ? (IERC20(feeToken), a) : (a, IERC20(feeToken));
        bytes32 rich = _newWeightedPool([first, second, b], [RESERVE, RESERVE * 11 / 10, RESERVE]);
        bytes32 fair = _newWeightedPool([first, second, b], [RESERVE, RESERVE, RESERVE]);
        plan = PlanWriter.begin(Funding.OwnCapital, address(0), AMOUNT, address(first), address(second), address(b));
        plan.stepBalancer(0, 1, vault, rich);
        plan.stepBalancer(1, 0, vault, fair);
    }
}
