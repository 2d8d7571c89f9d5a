// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Borrowing} from "../../src/Borrowing.sol";
import {IExecutor} from "../../src/interfaces/IExecutor.sol";
import {IUniswapV2Callee} from "../../src/interfaces/IUniswapV2.sol";
import {IUniswapV3FlashCallback, IUniswapV3SwapCallback} from "../../src/interfaces/IUniswapV3.sol";
import {IUniswapV4UnlockCallback} from "../../src/interfaces/IUniswapV4.sol";
import {IMorphoFlashLoanCallback} from "../../src/interfaces/IMorpho.sol";
import {IRoles} from "../../src/interfaces/IRoles.sol";
import {IAaveV3FlashLoanSimpleReceiver} from "../../src/interfaces/IAaveV3.sol";
import {IBalancerV2FlashLoanRecipient} from "../../src/interfaces/IBalancerV2.sol";
import {Funding} from "../../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../../src/libraries/Step.sol";
import {PlanFunding} from "../../src/PlanFunding.sol";
import {BalancerV3Step} from "../../src/steps/BalancerV3Step.sol";
import {Plan, PlanWriter} from "../PlanWriter.sol";
import {Lie, Villain} from "./Villain.sol";
import {Witness} from "./Witness.sol";

/// @notice Draws plans and calls, all from one seed: walks over real pools and villains in any mix, with any funding.
abstract contract Schemer is Witness {
    using PlanWriter for Plan;

    uint256 internal constant FORGERIES = 23;
    uint256 internal constant FUNDINGS = uint256(type(Funding).max) + 1;
    uint256 private constant EVIL = 3;
    uint256 private constant LENDER = 4;
    uint8 private constant KINDS = uint8(type(StepKind).max);

    /// @dev How villains behave in a plan: a chance of a lie and of reentry, in percent.
    struct Temper {
        uint256 liesPercent;
        uint256 reentersPercent;
        bool hasEvilToken;
    }

    uint256 internal seed;
    bytes internal lastPlan;

    /// @dev Of the plan drawn last: a bit for each kind of step, from bit 8 on one for the funding, from bit 17 on one for each
    /// lie, and from bit 32 on one for villains.
    uint256 internal marks;

    function _draw(uint256 count) internal returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return (seed >> 128) % count;
    }

    function _chance(uint256 percent) internal returns (bool) {
        return _draw(100) < percent;
    }

    /// @dev A walk of two to four steps through tokens[0], its others, and the thief's own token if so wanted. One villain in
    /// it pays twice what it takes, if it tells the truth; the other steps lose at most their fee, or a tenth.
    function _scheme(Temper memory temper) internal returns (bytes memory) {
        IERC20[4] memory tokens = _tokens();
        Plan memory plan = _header(temper, tokens);
        uint256 count = temper.hasEvilToken ? 2 + _draw(2) : 2 + _draw(3);
        uint256 generous = _draw(count);
        uint256 index;
        for (uint256 i; i < count; ++i) {
            uint256 next = i + 1 == count ? 0 : _next(index, i + 2 == count, temper.hasEvilToken);
            bool isVillain = i == generous || index == EVIL || next == EVIL || _chance(20);
            StepKind kind = StepKind(1 + _draw(i == 0 && plan.funding == uint8(Funding.FlashSwap) ? 2 : KINDS));
            marks |= 1 << uint8(kind);
            if (isVillain) _stepOfVillain(plan, kind, [index, next, i, i == generous ? 200 : 100], tokens, temper);
            else _stepOfPool(plan, kind, [index, next], tokens);
            index = next;
        }
        return plan.encode();
    }

    /// @dev Any function of the Executor, with arguments that someone who should not call it would like.
    function _forgery(uint256 which) internal returns (bytes memory) {
        bytes memory plan = lastPlan.length == 0 ? bytes(hex"00") : lastPlan;
        address thief = address(villains[_draw(VILLAINS)]);
        bytes[] memory plans = new bytes[](1);
        plans[0] = plan;
        IERC20[] memory list = new IERC20[](1);
        list[0] = IERC20(address(evil));
        if (which == 0) return abi.encodeCall(IExecutor.execute, (plan));
        if (which == 1) return abi.encodeCall(IExecutor.executeBatch, (plans));
        if (which == 2) return abi.encodeCall(IExecutor.executeOfBatch, (plan));
        if (which == 3) return abi.encodeCall(IExecutor.sweep, (b, 1));
        if (which == 4) return abi.encodeCall(IExecutor.withdraw, (b, thief, 1));
        if (which == 5) return abi.encodeCall(IRoles.setOperator, (FIRED, true));
        if (which == 6) return abi.encodeCall(IRoles.setGuardian, (thief));
        if (which == 7) return abi.encodeCall(IRoles.setTreasury, (thief));
        if (which == 8) return abi.encodeCall(IRoles.setListed, (list, true));
        if (which == 9) return abi.encodeCall(IRoles.setTipShareMax, (10_000));
        if (which == 10) return _draw(2) == 0 ? abi.encodeCall(IRoles.pause, ()) : abi.encodeCall(IRoles.unpause, ());
        return _callback(which - 11, _draw(2) == 0 ? plan : abi.encodePacked(b, uint256(1e18)));
    }

    function _callback(uint256 which, bytes memory data) private returns (bytes memory) {
        int256 asked = int256(_draw(1e18));
        if (which == 0) return abi.encodeCall(IUniswapV2Callee.uniswapV2Call, (address(executor), 1, 1, data));
        if (which == 1) return abi.encodeCall(IUniswapV3SwapCallback.uniswapV3SwapCallback, (asked, -asked, data));
        if (which == 2) return abi.encodeCall(IUniswapV3FlashCallback.uniswapV3FlashCallback, (0, 0, data));
        if (which == 3) return abi.encodeCall(IUniswapV4UnlockCallback.unlockCallback, (data));
        if (which == 4) return abi.encodeCall(BalancerV3Step.balancerV3Callback, (data));
        if (which == 5) return abi.encodeCall(PlanFunding.pancakeCall, (address(executor), 1, 1, data));
        if (which == 6) return abi.encodeCall(PlanFunding.pancakeV3SwapCallback, (asked, -asked, data));
        if (which == 9) return abi.encodeCall(Borrowing.balancerV3LoanCallback, (data));
        if (which == 10) return abi.encodeCall(IMorphoFlashLoanCallback.onMorphoFlashLoan, (1e18, data));
        if (which == 11) {
            return abi.encodeCall(IERC3156FlashBorrower.onFlashLoan, (address(executor), address(b), 1e18, 0, data));
        }
        if (which == 7) {
            return abi.encodeCall(
                IAaveV3FlashLoanSimpleReceiver.executeOperation, (address(b), 1e18, 0, address(executor), data)
            );
        }
        address[] memory tokens = new address[](1);
        return abi.encodeCall(
            IBalancerV2FlashLoanRecipient.receiveFlashLoan, (tokens, new uint256[](1), new uint256[](1), data)
        );
    }

    /// @dev tokens[0] is any of the three; the thief's own comes last.
    function _tokens() private returns (IERC20[4] memory tokens) {
        uint256 first = _draw(3);
        tokens = first == 0
            ? [a, b, c, IERC20(address(evil))]
            : first == 1 ? [b, a, c, IERC20(address(evil))] : [c, b, a, IERC20(address(evil))];
    }

    function _header(Temper memory temper, IERC20[4] memory tokens) private returns (Plan memory plan) {
        plan.amountIn = uint128(1e12 + _draw(10 ** (13 + _draw(6))));
        plan.profitMin = _chance(5) ? uint128(_draw(1e20)) : 0;
        plan.deadlineBlock = type(uint64).max;
        if (tokens[0] == a && _chance(40)) plan.tipShareBps = uint16(_draw(_chance(5) ? 10_000 : CAP_BPS + 1));
        plan.tokens = new address[](4);
        for (uint256 i; i < 4; ++i) {
            plan.tokens[i] = address(tokens[i]);
        }
        plan.funding = uint8(_chance(40) ? 0 : _draw(FUNDINGS));
        if (plan.funding > uint8(Funding.AaveV3Loan) && tokens[0] != a) plan.funding = uint8(Funding.FlashSwap);
        if (plan.funding > uint8(Funding.FlashSwap)) {
            plan.lender = _lenderOf(Funding(plan.funding), tokens, temper);
        }
        marks = 1 << (8 + plan.funding);
    }

    function _lenderOf(Funding funding, IERC20[4] memory tokens, Temper memory temper) private returns (address) {
        if (funding > Funding.AaveV3Loan) return _lender(funding);
        bool canBeReal = tokens[0] == a || funding == Funding.BalancerV2Loan;
        if (canBeReal && _draw(2) == 0) return _lender(funding);
        _arm(LENDER, [tokens[0], tokens[1]], 100, temper);
        return address(villains[LENDER]);
    }

    /// @dev Not where the walk is, and before its last step not where it ends.
    function _next(uint256 index, bool isLastBut, bool hasEvil) private returns (uint256 next) {
        if (hasEvil && index == 0) return EVIL;
        do {
            next = _draw(3);
        } while (next == index || isLastBut && next == 0);
    }

    /// @param at Index of tokenIn and of tokenOut, number of the step, and what is paid for a hundred.
    function _stepOfVillain(
        Plan memory plan,
        StepKind kind,
        uint256[4] memory at,
        IERC20[4] memory tokens,
        Temper memory temper
    ) private {
        marks |= 1 << 32;
        _arm(at[2], [tokens[at[0]], tokens[at[1]]], at[3], temper);
        (uint8 indexIn, uint8 indexOut, address venue) = (uint8(at[0]), uint8(at[1]), address(villains[at[2]]));
        bytes32 name = keccak256(abi.encode(venue));
        if (kind == StepKind.UniswapV2) plan.stepV2(indexIn, indexOut, FEE_PIPS, venue);
        else if (kind == StepKind.UniswapV3) plan.stepV3(indexIn, indexOut, venue);
        else if (kind == StepKind.BalancerV2) plan.stepBalancer(indexIn, indexOut, venue, name);
        else if (kind == StepKind.UniswapV4) plan.stepV4(indexIn, indexOut, venue, bytes26(name));
        else if (kind == StepKind.Curve) plan.stepCurve(indexIn, indexOut, venue, CurveCall(_draw(3)), [0, 1]);
        else if (kind == StepKind.BalancerV3) plan.stepBalancerV3(indexIn, indexOut, venue, venue);
        else plan.stepSolidly(indexIn, indexOut, venue);
    }

    function _stepOfPool(Plan memory plan, StepKind kind, uint256[2] memory at, IERC20[4] memory tokens) private {
        (IERC20 tokenIn, IERC20 tokenOut) = (tokens[at[0]], tokens[at[1]]);
        bytes32 pool = pools[kind][tokenIn][tokenOut];
        if (pool == 0) pool = pools[kind][tokenOut][tokenIn];
        (uint8 indexIn, uint8 indexOut, address venue) = (uint8(at[0]), uint8(at[1]), address(uint160(uint256(pool))));
        if (kind == StepKind.UniswapV2) plan.stepV2(indexIn, indexOut, FEE_PIPS, venue);
        else if (kind == StepKind.UniswapV3) plan.stepV3(indexIn, indexOut, venue);
        else if (kind == StepKind.BalancerV2) plan.stepBalancer(indexIn, indexOut, vault, pool);
        else if (kind == StepKind.UniswapV4) plan.stepV4(indexIn, indexOut, address(manager), bytes26(pool));
        else if (kind == StepKind.BalancerV3) plan.stepBalancerV3(indexIn, indexOut, address(vaultV3), venue);
        else if (kind == StepKind.Solidly) plan.stepSolidly(indexIn, indexOut, venue);
        else _stepOfCurve(plan, at, venue, [_place(tokenIn), _place(tokenOut)]);
    }

    /// @dev The last of the pool's functions counts its coins backwards.
    function _stepOfCurve(Plan memory plan, uint256[2] memory at, address pool, uint8[2] memory coins) private {
        CurveCall call = CurveCall(_draw(3));
        if (call == CurveCall.ExchangeUnderlying) coins = [2 - coins[0], 2 - coins[1]];
        plan.stepCurve(uint8(at[0]), uint8(at[1]), pool, call, coins);
    }

    function _place(IERC20 token) private view returns (uint8) {
        return token == a ? 0 : token == b ? 1 : 2;
    }

    function _arm(uint256 which, IERC20[2] memory tokens, uint256 ratePercent, Temper memory temper) private {
        Lie lie = _chance(temper.liesPercent) ? Lie(1 + _draw(uint256(type(Lie).max))) : Lie.None;
        marks |= 1 << (17 + uint256(lie));
        bytes[] memory reentries = new bytes[](_chance(temper.reentersPercent) ? 1 + _draw(2) : 0);
        for (uint256 i; i < reentries.length; ++i) {
            reentries[i] = _chance(30) ? abi.encodeCall(IExecutor.wrapNative, ()) : _forgery(_draw(FORGERIES));
        }
        // the seed's lowest bit says whether token0 of a lending pool is what it lends
        villains[which].arm(Villain.Script(tokens[0], tokens[1], ratePercent, lie, _draw(type(uint128).max)), reentries);
    }
}
