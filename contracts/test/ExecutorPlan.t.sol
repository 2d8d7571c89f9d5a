// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Funding, PlanReader} from "../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../src/libraries/Step.sol";
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
    address private constant MANAGER = address(0xA5);
    bytes26 private constant TERMS = hex"000bb800003c0000000000000000000000000000000000000000";
    uint256 private constant CURVE_OFFSET = 153; // among the steps

    IExecutor private executor;
    address private token;

    function setUp() public {
        token = address(new DevToken("A", "A", 18, 1e24));
        executor = IExecutor(vm.deployCode("Executor.sol:Executor", abi.encode(address(this), token)));
        executor.setOperator(address(this), true);
    }

    /// @dev 64 bytes of header, 60 of tokens, then a step of each kind; both pairs lead back to the first token.
    function test_every_prefix_of_a_plan_is_truncated() public {
        bytes memory packed = _plan().encode();
        uint256[9] memory ends = [uint256(64), 124, 150, 173, 228, 277, 303, 346, 369];
        assertEq(packed.length, 369);
        uint256 field;
        for (uint256 length; length < packed.length; ++length) {
            if (length == ends[field]) ++field;
            uint256 start = field == 0 ? 0 : ends[field - 1];
            if (field >= 2 && length == start) {
                _expect(_cut(packed, length), _reasonAfter(field - 2));
                continue;
            }
            bool isStepPrefix = field >= 2 && length - start < 3;
            uint256 needed = isStepPrefix ? start + 3 : ends[field];
            _expect(_cut(packed, length), abi.encodeWithSelector(PlanReader.PlanTruncated.selector, length, needed));
        }
    }

    function test_trailing_bytes_are_refused() public {
        bytes memory packed = _plan().encode();
        _expect(abi.encodePacked(packed, uint8(1)), abi.encodeWithSelector(PlanReader.PlanTruncated.selector, 370, 372));
        _expect(abi.encodePacked(packed, uint24(0)), abi.encodeWithSelector(PlanReader.StepKindUnknown.selector, 7, 0));
    }

    function test_an_unknown_funding_is_refused() public {
        Plan memory plan = _plan();
        plan.funding = 9;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.FundingUnknown.selector, 9));
    }

    function test_a_lender_where_none_belongs_is_refused() public {
        for (uint8 funding; funding < 2; ++funding) {
            Plan memory plan = _plan();
            (plan.funding, plan.lender) = (funding, VAULT);
            _expect(plan.encode(), abi.encodeWithSelector(PlanReader.LenderInvalid.selector, funding, VAULT));
        }
    }

    function test_a_loan_without_a_lender_is_refused() public {
        for (uint8 funding = 2; funding < 9; ++funding) {
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
        plan.steps[plan.steps.length - 21] = 0x02;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.WalkNotClosed.selector, 2));
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

    function test_the_native_coin_is_refused_on_uniswap_v4() public {
        for (uint256 isFirst; isFirst < 2; ++isFirst) {
            (address first, address second) = isFirst == 1 ? (address(0), token) : (token, address(0));
            Plan memory plan = PlanWriter.begin(Funding.OwnCapital, address(0), 1, first, second, VAULT);
            plan.stepV3(0, 1, POOL);
            plan.stepV4(1, 0, MANAGER, TERMS);
            _expect(plan.encode(), abi.encodeWithSelector(PlanReader.NativeCoinUnsupported.selector, 1));
        }
    }

    function test_an_unknown_call_of_a_curve_pool_is_refused() public {
        Plan memory plan = _plan();
        plan.steps[CURVE_OFFSET + 23] = 0x03;
        _expect(plan.encode(), abi.encodeWithSelector(PlanReader.CurveCallUnknown.selector, 4, 3));
    }

    function test_a_flash_swap_begins_on_uniswap_v2_or_v3() public {
        bytes memory steps = _plan().steps;
        uint256[8] memory offsets = [uint256(0), 26, 49, 104, CURVE_OFFSET, 179, 222, 245];
        for (uint8 kind = uint8(StepKind.BalancerV2); kind <= uint8(type(StepKind).max); ++kind) {
            Plan memory plan = PlanWriter.begin(Funding.FlashSwap, address(0), 1, token, POOL, VAULT);
            bytes memory step = _slice(steps, offsets[kind - 1], offsets[kind]);
            (step[1], step[2]) = (0x00, 0x01);
            plan.steps = step;
            plan.stepV3(1, 0, POOL);
            _expect(plan.encode(), abi.encodeWithSelector(PlanReader.FlashSwapUnsupported.selector, kind));
        }
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

    /// @dev Own capital over one step of each kind: 0 -> 1 -> 2 -> 0 -> 1 -> 2 -> 1 -> 0.
    function _plan() private view returns (Plan memory plan) {
        plan = PlanWriter.begin(Funding.OwnCapital, address(0), 1e18, token, POOL, VAULT);
        plan.stepV2(0, 1, 3000, PAIR);
        plan.stepV3(1, 2, POOL);
        plan.stepBalancer(2, 0, VAULT, POOL_ID);
        plan.stepV4(0, 1, MANAGER, TERMS);
        plan.stepCurve(1, 2, POOL, CurveCall.ExchangeUnderlying, [255, 0]);
        plan.stepBalancerV3(2, 1, VAULT, POOL);
        plan.stepSolidly(1, 0, PAIR);
    }

    /// @dev What is wrong with the plan after so many whole steps; after the third the walk is closed, and goes on.
    function _reasonAfter(uint256 count) private view returns (bytes memory) {
        if (count < 2) return abi.encodeWithSelector(PlanReader.StepsTooFew.selector, count);
        if (count == 3) return abi.encodeWithSignature("CapitalInsufficient(address,uint256,uint256)", token, 1e18, 0);
        uint256 indexOut = [uint256(0), 1, 2, 0, 1, 2, 1][count];
        return abi.encodeWithSelector(PlanReader.WalkNotClosed.selector, indexOut);
    }

    function _expect(bytes memory packed, bytes memory reason) private {
        vm.expectRevert(reason);
        executor.execute(packed);
    }

    function _cut(bytes memory packed, uint256 length) private pure returns (bytes memory) {
        return _slice(packed, 0, length);
    }

    function _slice(bytes memory packed, uint256 start, uint256 end) private pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i; i < part.length; ++i) {
            part[i] = packed[start + i];
        }
    }
}
