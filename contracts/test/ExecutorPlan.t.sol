// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Funding, PlanReader} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {DevToken} from "../src/devnet/DevToken.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";
import {Test} from "forge-std/Test.sol";

/// @notice Malformed plans revert before anything is called, each with an error that says what is wrong.
contract ExecutorPlanTest is Test {
    using PlanWriter for Plan;

    address private constant PAIR = address(0xA1);
    address private constant POOL = address(0xA2);
    address private constant VAULT = address(0xA3);
    bytes32 private constant POOL_ID = bytes32(uint256(0xA4));

    IExecutor private executor;
    address private token;

    function setUp() public {
        executor = IExecutor(vm.deployCode("Executor.sol:Executor", abi.encode(address(this))));
        executor.setOperator(address(this), true);
        token = address(new DevToken("A", "A", 18, 1e24));
    }

    function test_every_prefix_of_a_plan_is_truncated() public {
        bytes memory packed = _plan().encode();
        uint256[5] memory ends = [uint256(62), 122, 148, 171, 226];
        assertEq(packed.length, 226);
        uint256 field;
        for (uint256 length; length < packed.length; ++length) {
            if (length == ends[field]) ++field;
            bool endsWithStep = length == 171;
            if (length == 122 || length == 148 || endsWithStep) continue;
            bool isStepPrefix = field >= 2 && length - ends[field - 1] < 3;
            uint256 needed = isStepPrefix ? ends[field - 1] + 3 : ends[field];
            _expect(_cut(packed, length), abi.encodeWithSelector(PlanReader.PlanTruncated.selector, length, needed));
        }
        _expect(_cut(packed, 122), abi.encodeWithSelector(PlanReader.StepsTooFew.selector, 0));
        _expect(_cut(packed, 148), abi.encodeWithSelector(PlanReader.StepsTooFew.selector, 1));
        _expect(_cut(packed, 171), abi.encodeWithSelector(PlanReader.WalkNotClosed.selector, 2));
    }

    function test_trailing_bytes_are_refused() public {
        bytes memory packed = _plan().encode();
        _expect(abi.encodePacked(packed, uint8(1)), abi.encodeWithSelector(PlanReader.PlanTruncated.selector, 227, 229));
        _expect(abi.encodePacked(packed, uint24(0)), abi.encodeWithSelector(PlanReader.StepKindUnknown.selector, 3, 0));
    }

    function test_an_unknown_funding_is_refused() public {
        Plan memory plan = _plan();
        plan.funding = 5;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.FundingUnknown.selector, 5));
    }

    function test_a_lender_where_none_belongs_is_refused() public {
        for (uint8 funding; funding < 2; ++funding) {
            Plan memory plan = _plan();
            (plan.funding, plan.lender) = (funding, VAULT);
            _expect(plan.encode(), abi.encodeWithSelector(PlanReader.LenderInvalid.selector, funding, VAULT));
        }
    }

    function test_a_loan_without_a_lender_is_refused() public {
        for (uint8 funding = 2; funding < 5; ++funding) {
            Plan memory plan = _plan();
            plan.funding = funding;
            _expect(plan.encode(), abi.encodeWithSelector(PlanReader.LenderInvalid.selector, funding, address(0)));
        }
    }

    function test_fewer_than_two_tokens_are_refused() public {
        Plan memory plan = _plan();
        plan.tokens = new address[](1);
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.TokensTooFew.selector, 1));
    }

    function test_an_unknown_kind_of_step_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[26] = 0x08;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.StepKindUnknown.selector, 1, 8));
    }

    function test_a_token_index_out_of_range_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[1] = 0x03;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.TokenIndexOutOfRange.selector, 0, 3, 3));
        plan = _plan();
        plan.steps[51] = 0xff;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.TokenIndexOutOfRange.selector, 2, 255, 3));
    }

    function test_a_walk_that_does_not_start_at_the_first_token_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[1] = 0x02;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.StepNotConnected.selector, 0, 2, 0));
    }

    function test_a_walk_with_a_gap_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[27] = 0x02;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.StepNotConnected.selector, 1, 2, 1));
    }

    function test_a_walk_that_does_not_return_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[51] = 0x01;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.WalkNotClosed.selector, 1));
    }

    function test_a_step_from_a_token_to_itself_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[2] = 0x00;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.StepTokensEqual.selector, 0, 0));
    }

    function test_a_fee_of_the_whole_input_is_refused() public {
        Plan memory plan = PlanWriter.begin(Funding.OwnCapital, address(0), 1, token, POOL, VAULT);
        plan.stepV2(0, 1, 1_000_000, PAIR);
        plan.stepV2(1, 0, 3000, PAIR);
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.FeeOutOfRange.selector, 0, 1_000_000));
    }

    function test_a_flash_swap_on_balancer_is_refused() public {
        Plan memory plan = PlanWriter.begin(Funding.FlashSwap, address(0), 1, token, POOL, VAULT);
        plan.stepBalancer(0, 1, VAULT, POOL_ID);
        plan.stepV3(1, 0, POOL);
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.FlashSwapUnsupported.selector, StepKind.BalancerV2));
    }

    function test_a_deadline_is_the_last_block_that_executes() public {
        Plan memory plan = _plan();
        plan.amountIn = 1;
        vm.roll(1000);
        plan.deadlineBlock = 999;
        _expect(plan.encode(), abi.encodeWithSelector(IExecutor.DeadlinePassed.selector, 999, 1000));
        plan.deadlineBlock = 1000;
        _expect(plan.encode(), abi.encodeWithSignature("CapitalInsufficient(address,uint256,uint256)", token, 1, 0));
    }

    /// @dev Own capital over one step of each kind: 62 + 60 + 26 + 23 + 55 bytes.
    function _plan() private view returns (Plan memory plan) {
        plan = PlanWriter.begin(Funding.OwnCapital, address(0), 1e18, token, POOL, VAULT);
        plan.stepV2(0, 1, 3000, PAIR);
        plan.stepV3(1, 2, POOL);
        plan.stepBalancer(2, 0, VAULT, POOL_ID);
    }

    function _expect(bytes memory packed, bytes memory reason) private {
        vm.expectRevert(reason);
        executor.execute(packed);
    }

    function _cut(bytes memory packed, uint256 length) private pure returns (bytes memory prefix) {
        prefix = new bytes(length);
        for (uint256 i; i < length; ++i) {
            prefix[i] = packed[i];
        }
    }
}
