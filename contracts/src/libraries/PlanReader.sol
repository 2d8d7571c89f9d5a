// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {CurveCall, Step, StepKind} from "./Step.sol";

/// @notice Where the input of the first step comes from.
enum Funding {
    OwnCapital,
    FlashSwap,
    BalancerV2Loan,
    UniswapV3Loan,
    AaveV3Loan,
    BalancerV3Loan,
    UniswapV4Loan,
    MorphoLoan,
    Erc3156Loan
}

/// @dev `token` is tokens[0] of `tokenCount`, `stepsOffset` where the first step begins.
struct Header {
    Funding funding;
    address lender;
    uint256 amountIn;
    uint256 profitMin;
    uint256 deadlineBlock;
    uint256 tipShareBps;
    uint256 tokenCount;
    IERC20 token;
    uint256 stepsOffset;
}

/// @title PlanReader
/// @notice Reads a plan: packed big-endian bytes, a header of 64 bytes, the tokens, then the steps until the end.
///
///     offset  size  field
///          0     1  funding: see `Funding`
///          1    20  lender: the contract that is asked for a loan, zero without one
///         21    16  amountIn: of tokens[0], the input of the first step
///         37    16  profitMin: of tokens[0]
///         53     8  deadlineBlock: the last block in which the plan may execute
///         61     2  tipShareBps: of the profit, in basis points, to the block's builder; tokens[0] is then wrapped native
///         63     1  n, the number of tokens, at least 2
///         64   20n  tokens: tokens[0] is what is spent first and what the profit is counted in
///                   steps, at least 2, each: kind 1, index of tokenIn 1, index of tokenOut 1, then
///                       1  Uniswap v2   feePips 3, pair 20
///                       2  Uniswap v3   pool 20
///                       3  Balancer v2  vault 20, poolId 32
///                       4  Uniswap v4   manager 20, feePips 3, tickSpacing 3, hooks 20
///                       5  Curve        pool 20, call 1, indexIn 1, indexOut 1
///                       6  Balancer v3  vault 20, pool 20
///                       7  Solidly      pair 20
///
/// @dev Every other function relies on `validate` having passed over the same bytes.
library PlanReader {
    error PlanTruncated(uint256 length, uint256 needed);
    error FundingUnknown(uint8 funding);
    error LenderInvalid(uint8 funding, address lender);
    error TokensTooFew(uint256 count);
    error StepsTooFew(uint256 count);
    error StepKindUnknown(uint256 step, uint8 kind);
    error TokenIndexOutOfRange(uint256 step, uint256 index, uint256 tokenCount);
    error StepNotConnected(uint256 step, uint256 indexIn, uint256 indexExpected);
    error StepTokensEqual(uint256 step, uint256 index);
    error FeeOutOfRange(uint256 step, uint256 feePips);
    error NativeCoinUnsupported(uint256 step);
    error CurveCallUnknown(uint256 step, uint8 call);
    error WalkNotClosed(uint256 indexOut);
    error FlashSwapUnsupported(uint8 kind);

    uint256 internal constant PIPS = 1e6;

    uint256 private constant AMOUNTS_OFFSET = 21;
    uint256 private constant DEADLINE_OFFSET = 53;
    uint256 private constant TOKENS_OFFSET = 64;
    uint256 private constant ADDRESS_LENGTH = 20;
    uint256 private constant STEP_PREFIX_LENGTH = 3;
    uint256 private constant TERMS_OFFSET = 23;

    /// @dev Bytes of a whole step, one byte for each kind, the first kind lowest.
    uint256 private constant STEP_LENGTHS = 0x172b1a3137171a00;

    /// @notice Reads the header of a plan, and reverts unless the whole plan is well formed: nothing is missing, nothing is
    /// left over, and the steps are a walk from tokens[0] back to it.
    function validate(bytes calldata plan) internal pure returns (Header memory header) {
        _requireLength(plan, TOKENS_OFFSET);
        uint256 word = _word(plan, DEADLINE_OFFSET);
        uint256 tokenCount = uint8(word >> 168);
        if (tokenCount < 2) revert TokensTooFew(tokenCount);
        header.stepsOffset = TOKENS_OFFSET + ADDRESS_LENGTH * tokenCount;
        header.deadlineBlock = word >> 192;
        header.tipShareBps = uint16(word >> 176);
        header.tokenCount = tokenCount;
        _requireLength(plan, header.stepsOffset);

        (header.funding, header.lender) = _validateFunding(plan);
        _validateWalk(plan, header, tokenCount);

        word = _word(plan, AMOUNTS_OFFSET);
        header.amountIn = word >> 128;
        header.profitMin = uint128(word);
        header.token = token(plan, 0);
    }

    function amountIn(bytes calldata plan) internal pure returns (uint256) {
        return _word(plan, AMOUNTS_OFFSET) >> 128;
    }

    function token(bytes calldata plan, uint256 index) internal pure returns (IERC20) {
        unchecked {
            return IERC20(address(uint160(_word(plan, TOKENS_OFFSET + ADDRESS_LENGTH * index) >> 96)));
        }
    }

    function firstStep(bytes calldata plan) internal pure returns (Step memory) {
        uint256 tokenCount = uint8(_word(plan, DEADLINE_OFFSET) >> 168);
        return stepAt(plan, TOKENS_OFFSET + ADDRESS_LENGTH * tokenCount, token(plan, 0));
    }

    function stepAfter(bytes calldata plan, Step memory step) internal pure returns (Step memory) {
        return stepAt(plan, step.end, step.tokenOut);
    }

    /// @param tokenIn What the step before put out: the walk is connected.
    function stepAt(bytes calldata plan, uint256 offset, IERC20 tokenIn) internal pure returns (Step memory step) {
        uint256 word = _word(plan, offset);
        step.kind = StepKind(word >> 248);
        step.tokenIn = tokenIn;
        step.tokenOut = token(plan, uint8(word >> 232));
        uint256 length = _stepLength(step.kind);
        step.end = offset + length;
        if (step.kind == StepKind.UniswapV2) {
            step.terms = bytes3(uint24(word >> 208));
            step.venue = address(uint160(word >> 48));
            return step;
        }
        step.venue = address(uint160(word >> 72));
        if (length > TERMS_OFFSET) step.terms = _terms(plan, offset + TERMS_OFFSET, length - TERMS_OFFSET);
    }

    /// @dev So many bytes from `offset` on, then zeros.
    function _terms(bytes calldata plan, uint256 offset, uint256 length) private pure returns (bytes32) {
        uint256 spareBits = 256 - 8 * length;
        return bytes32(_word(plan, offset) >> spareBits << spareBits);
    }

    function _validateFunding(bytes calldata plan) private pure returns (Funding, address lender) {
        uint256 word = _word(plan, 0);
        uint8 funding = uint8(word >> 248);
        if (funding > uint8(type(Funding).max)) revert FundingUnknown(funding);
        lender = address(uint160(word >> 88));
        bool isLoan = funding > uint8(Funding.FlashSwap);
        if (isLoan != (lender != address(0))) revert LenderInvalid(funding, lender);
        return (Funding(funding), lender);
    }

    function _validateWalk(bytes calldata plan, Header memory header, uint256 tokenCount) private pure {
        uint256 offset = header.stepsOffset;
        uint256 count;
        uint256 index;
        while (offset < plan.length) {
            (offset, index) = _validateStep(plan, offset, count, index, tokenCount);
            unchecked {
                ++count;
            }
        }
        if (count < 2) revert StepsTooFew(count);
        if (index != 0) revert WalkNotClosed(index);

        if (header.funding != Funding.FlashSwap) return;
        uint8 kind = uint8(_word(plan, header.stepsOffset) >> 248);
        if (kind > uint8(StepKind.UniswapV3)) revert FlashSwapUnsupported(kind);
    }

    /// @dev `indexExpected` is the token the step before left behind.
    function _validateStep(
        bytes calldata plan,
        uint256 offset,
        uint256 number,
        uint256 indexExpected,
        uint256 tokenCount
    ) private pure returns (uint256 end, uint256 indexOut) {
        uint256 word = _word(plan, offset);
        uint8 kind = uint8(word >> 248);
        unchecked {
            _requireLength(plan, offset + STEP_PREFIX_LENGTH);
            if (kind == 0 || kind > uint8(type(StepKind).max)) revert StepKindUnknown(number, kind);
            end = offset + _stepLength(StepKind(kind));
        }
        _requireLength(plan, end);

        uint256 indexIn = uint8(word >> 240);
        indexOut = uint8(word >> 232);
        if (indexIn >= tokenCount) revert TokenIndexOutOfRange(number, indexIn, tokenCount);
        if (indexOut >= tokenCount) revert TokenIndexOutOfRange(number, indexOut, tokenCount);
        if (indexIn != indexExpected) revert StepNotConnected(number, indexIn, indexExpected);
        if (indexIn == indexOut) revert StepTokensEqual(number, indexIn);

        if (kind == uint8(StepKind.UniswapV2)) {
            uint256 feePips = uint24(word >> 208);
            if (feePips >= PIPS) revert FeeOutOfRange(number, feePips);
        } else if (kind == uint8(StepKind.UniswapV4)) {
            if (_isNative(plan, indexIn) || _isNative(plan, indexOut)) revert NativeCoinUnsupported(number);
        } else if (kind == uint8(StepKind.Curve)) {
            uint8 call = uint8(word >> 64);
            if (call > uint8(type(CurveCall).max)) revert CurveCallUnknown(number, call);
        }
    }

    /// @dev The zero address is the native coin to Uniswap v4 alone.
    function _isNative(bytes calldata plan, uint256 index) private pure returns (bool) {
        return address(token(plan, index)) == address(0);
    }

    function _stepLength(StepKind kind) private pure returns (uint256) {
        return uint8(STEP_LENGTHS >> (8 * uint256(kind)));
    }

    function _requireLength(bytes calldata plan, uint256 needed) private pure {
        if (plan.length < needed) revert PlanTruncated(plan.length, needed);
    }

    /// @dev The 32 bytes from `offset` on; what lies beyond the end is not the plan's, and no caller looks at it:
    ///
    ///     return uint256(bytes32(plan[offset:]));
    function _word(bytes calldata plan, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(plan.offset, offset))
        }
    }
}
