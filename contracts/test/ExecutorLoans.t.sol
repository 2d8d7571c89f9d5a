// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MintingToken} from "../src/devnet/MintingToken.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {Market} from "./market/Market.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

/// @notice Loans from the published code of lenders, to the wei.
contract ExecutorLoansTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    uint256 private constant FEE_BPS = 9;
    uint256 private constant FEE = AMOUNT * FEE_BPS / 10_000;

    function _newToken(string memory) internal override returns (IERC20) {
        return new MintingToken(type(uint128).max, FEE_BPS);
    }

    function test_a_token_that_mints_its_loans_is_paid_its_fee_to_the_wei() public {
        StepKind[] memory kinds = _kinds(StepKind.UniswapV2, StepKind.UniswapV3);
        uint256 state = vm.snapshotState();
        uint256 free = executor.execute(_cycle(Funding.OwnCapital, kinds, AMOUNT).encode());
        vm.revertToState(state);

        uint256 supply = a.totalSupply();
        Plan memory plan = _cycle(Funding.Erc3156Loan, kinds, AMOUNT);
        plan.lender = address(a);
        assertEq(executor.execute(plan.encode()), free - FEE);
        assertEq(a.totalSupply(), supply - FEE, "no one is paid the fee: it is burnt");
        assertEq(a.allowance(address(executor), address(a)), 0);
    }

    /// @dev The manager of Uniswap v4 is the published bytecode.
    function test_the_manager_of_uniswap_v4_lends_for_nothing() public {
        StepKind[] memory kinds = _kinds(StepKind.UniswapV2, StepKind.UniswapV3);
        uint256 state = vm.snapshotState();
        uint256 free = executor.execute(_cycle(Funding.OwnCapital, kinds, AMOUNT).encode());
        vm.revertToState(state);

        uint256 held = a.balanceOf(address(manager));
        assertEq(executor.execute(_cycle(Funding.UniswapV4Loan, kinds, AMOUNT).encode()), free);
        assertEq(a.balanceOf(address(manager)), held);
    }

    function test_a_lender_that_has_less_than_the_plan_wants_reverts() public {
        for (uint8 funding = uint8(Funding.BalancerV3Loan); funding <= uint8(Funding.MorphoLoan); ++funding) {
            address lender = _lender(Funding(funding));
            uint256 held = a.balanceOf(lender);
            Plan memory plan =
                _cycle(Funding(funding), _kinds(StepKind.UniswapV2, StepKind.UniswapV2), uint128(held + 1));
            (bool isDone,) = address(executor).call(abi.encodeCall(executor.execute, (plan.encode())));
            assertFalse(isDone);
            assertEq(a.balanceOf(lender), held);
        }
    }
}
