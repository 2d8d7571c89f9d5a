// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IExecutor} from "../../src/interfaces/IExecutor.sol";
import {Funding} from "../../src/libraries/PlanReader.sol";
import {StepKind} from "../../src/libraries/Step.sol";
import {Plan, PlanWriter} from "../PlanWriter.sol";
import {EvilToken, Mischief} from "./EvilToken.sol";
import {Schemer} from "./Schemer.sol";
import {Villain} from "./Villain.sol";

/// @notice A thief with an operator's key, with pools, lenders, tokens and a builder of its own: whatever it does, with
/// whoever's help, over whole sequences of calls, what the Executor holds does not fall, no allowance is left, and nobody's
/// role changes. The owner and the guardian act in between.
/// @dev Each call of `act` is a transaction of several actions, so that what a plan leaves in transient storage is there for
/// the next; native coin is forced in between. After every action the whole of the property is asserted.
contract MaliciousOperatorTest is Schemer {
    using PlanWriter for Plan;

    enum Action {
        TradeReal,
        TradeOwn,
        TradeLying,
        TradeOwnToken,
        ExecuteDamaged,
        ExecuteNoise,
        Batch,
        Sweep,
        ForgeOutside,
        Replay,
        Donate,
        Wrap,
        Pause,
        Dismiss,
        Withdraw
    }

    uint256 private constant ACTIONS_PER_CALL = 8;
    uint256 private constant ACTIONS = 15;
    uint256 private constant REACHED_FROM = 1000;

    /// @dev How often each action is drawn, of 100.
    uint8[ACTIONS] private weights = [20, 22, 10, 8, 3, 1, 12, 4, 3, 2, 6, 3, 2, 2, 2];

    uint256[ACTIONS] private tried;
    uint256[ACTIONS] private succeeded;
    mapping(uint256 mark => uint256) private markTried;
    mapping(uint256 mark => uint256) private markSucceeded;

    function setUp() public override {
        super.setUp();
        executor.setOperator(address(this), false);
        executor.setOperator(OPERATOR, true);
        executor.setGuardian(GUARDIAN);
        executor.setTreasury(TREASURY);
        executor.setTipShareMax(CAP_BPS);
        evil = new EvilToken(address(executor));
        evil.mint(address(executor), CAPITAL);
        for (uint256 i; i < VILLAINS; ++i) {
            villains[i] = new Villain(executor);
            evil.mint(address(villains[i]), type(uint120).max);
            a.transfer(address(villains[i]), RESERVE);
            b.transfer(address(villains[i]), type(uint96).max);
            c.transfer(address(villains[i]), type(uint96).max);
            executor.setOperator(address(villains[i]), true);
        }
        vm.deal(address(executor), 5e18);
        _noteGovernance();

        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = this.act.selector;
        targetSelector(FuzzSelector(address(this), selectors));
        targetContract(address(this));
        targetSender(address(this));
    }

    function act(uint256 newSeed) external {
        seed = newSeed;
        for (uint256 i; i < ACTIONS_PER_CALL; ++i) {
            Action action = _drawAction();
            if (_chance(25)) vm.deal(address(executor), address(executor).balance + _draw(1e18));
            bool isDone = this.perform(action);
            ++tried[uint256(action)];
            if (isDone) ++succeeded[uint256(action)];
        }
        _assertNothingGranted();
        _assertNoBreach();
    }

    /// @dev By itself, so that the memory of one action is not there in the next.
    function perform(Action action) external returns (bool isDone) {
        Holdings memory before = _see();
        isDone = _perform(action);
        if (action == Action.Withdraw) return isDone;
        _assertNothingLost(before);
        _assertGovernedAlike();
    }

    function invariant_a_stolen_operator_key_takes_nothing() public view {
        _assertNothingGranted();
        _assertGovernedAlike();
        _assertNoBreach();
    }

    /// @dev What was done goes into a file, of which `make prove` makes its table; a run as short as in `make test` must
    /// already have done everything.
    function afterInvariant() public {
        _assertReached();
        string memory line = "actions";
        for (uint256 i; i < ACTIONS; ++i) {
            line = string.concat(line, " ", vm.toString(tried[i]), "/", vm.toString(succeeded[i]));
        }
        line = string.concat(line, " marks");
        for (uint256 mark = 1; mark < 33; ++mark) {
            line = string.concat(line, " ", vm.toString(markTried[mark]), "/", vm.toString(markSucceeded[mark]));
        }
        uint256 refusals;
        for (uint256 i; i < VILLAINS; ++i) {
            refusals += villains[i].refusals();
        }
        line = string.concat(line, " refusals ", vm.toString(refusals));
        vm.writeLine(vm.envOr("OPERATOR_COUNTS", string("cache/malicious-operator.txt")), line);
    }

    function _assertReached() private view {
        (uint256 all, uint256 done) = (0, 0);
        for (uint256 i; i < ACTIONS; ++i) {
            (all, done) = (all + tried[i], done + succeeded[i]);
        }
        if (all < REACHED_FROM) return;
        assertGe(2 * done, all, "most calls fail");
        for (uint256 i; i < ACTIONS; ++i) {
            assertGt(tried[i], 0, "an action was never tried");
        }
        for (uint256 mark = 1; mark < 17; ++mark) {
            assertGe(markSucceeded[mark], 10, "a kind of step or funding hardly succeeded");
        }
    }

    function _perform(Action action) private returns (bool) {
        if (action == Action.TradeReal) return _trade(_real());
        if (action == Action.TradeOwn) return _trade(_scheme(Temper(0, 25, false)));
        if (action == Action.TradeLying) return _trade(_scheme(Temper(60, 25, false)));
        if (action == Action.TradeOwnToken) return _tradeOwnToken();
        if (action == Action.ExecuteDamaged) return _executeDamaged();
        if (action == Action.ExecuteNoise) return _execute(abi.encodePacked(_draw(5), seed, _draw(1e18), seed));
        if (action == Action.Batch) return _batch();
        if (action == Action.Sweep) return _sweep();
        if (action == Action.ForgeOutside) return _forgeOutside();
        if (action == Action.Replay) return villains[_draw(VILLAINS)].replay();
        if (action == Action.Donate) return _donate();
        if (action == Action.Wrap) return _callAs(address(uint160(seed)), abi.encodeCall(IExecutor.wrapNative, ()));
        if (action == Action.Pause) return _pauseAndTry();
        if (action == Action.Dismiss) return _dismissAndTry();
        return _withdrawAndRefill();
    }

    function _trade(bytes memory plan) private returns (bool isDone) {
        address builder = _chance(50) ? BUILDER : address(villains[_draw(VILLAINS)]);
        vm.coinbase(builder);
        (uint256 paidBefore, uint256 heldBefore) = (builder.balance, _held(a));
        isDone = _execute(plan);
        assertGe(_held(a), heldBefore, "an asset fell");
        (uint256 tip, uint256 gain) = (builder.balance - paidBefore, _held(a) - heldBefore);
        assertLe(tip, (gain + tip) * CAP_BPS / 10_000, "a tip above the cap");
        _count(isDone);
    }

    /// @dev A cycle that pays in real pools: it buys in a rich one and sells in a fair one.
    function _real() private returns (bytes memory) {
        uint256 first = _draw(2) == 0 ? 1 + _draw(2) : 1 + _draw(7);
        StepKind[] memory kinds = _draw(2) == 0
            ? _kinds(StepKind(first), StepKind(1 + _draw(7)))
            : _kinds(StepKind(first), StepKind(1 + _draw(7)), StepKind(1 + _draw(7)));
        Funding funding = Funding(_draw(2) == 0 ? 0 : _draw(FUNDINGS));
        Plan memory plan = _cycle(funding, kinds, 1e12 + _draw(1e18));
        if (_chance(40)) plan.tipShareBps = uint16(_draw(CAP_BPS + 1));
        marks = 1 << (8 + uint256(funding));
        for (uint256 i; i < kinds.length; ++i) {
            marks |= 1 << uint8(kinds[i]);
        }
        return plan.encode();
    }

    function _tradeOwnToken() private returns (bool isDone) {
        uint256 mischief = _chance(50) ? 0 : 1 + _draw(uint256(type(Mischief).max));
        evil.arm(Mischief(mischief), _forgery(_draw(FORGERIES)));
        isDone = _trade(_scheme(Temper(10, 10, true)));
        evil.arm(Mischief.None, "");
    }

    function _executeDamaged() private returns (bool) {
        bytes memory plan = _draw(2) == 0 ? _real() : _scheme(Temper(20, 20, false));
        for (uint256 i = _draw(3) + 1; i > 0; --i) {
            plan[_draw(plan.length)] ^= bytes1(uint8(1 + _draw(255)));
        }
        return _execute(plan);
    }

    function _batch() private returns (bool) {
        bytes[] memory plans = new bytes[](1 + _draw(3));
        for (uint256 i; i < plans.length; ++i) {
            plans[i] = i + 1 < plans.length || _draw(2) == 0 ? _real() : _scheme(Temper(40, 40, false));
        }
        vm.coinbase(_chance(50) ? BUILDER : address(villains[_draw(VILLAINS)]));
        vm.prank(OPERATOR);
        try executor.executeBatch(plans) returns (uint256 executed) {
            return executed > 0;
        } catch {
            return false;
        }
    }

    function _sweep() private returns (bool) {
        IERC20[4] memory tokens = [a, b, c, IERC20(address(evil))];
        IERC20 token = tokens[_draw(4)];
        uint256 amount = _chance(20) ? seed : _draw(1e17);
        return _callAs(OPERATOR, abi.encodeCall(IExecutor.sweep, (token, amount)));
    }

    /// @dev Villains are operators: what operators may do they do elsewhere.
    function _forgeOutside() private returns (bool isDone) {
        bytes memory data = _forgery(_draw(FORGERIES));
        address caller =
            [FIRED, GUARDIAN, vault, aavePool, poolLender, address(manager), address(evil), TREASURY][_draw(8)];
        if (caller == GUARDIAN && bytes4(data) == executor.pause.selector) caller = FIRED;
        isDone = _callAs(caller, data);
        assertFalse(isDone, "a stranger was let in");
    }

    function _donate() private returns (bool) {
        uint256 which = _draw(4);
        uint256 amount = _draw(1e16);
        if (which == 3) vm.deal(address(executor), address(executor).balance + amount);
        else [a, b, c][which].transfer(address(executor), amount);
        return true;
    }

    function _pauseAndTry() private returns (bool) {
        vm.prank(GUARDIAN);
        executor.pause();
        _noteGovernance();
        Holdings memory before = _see();
        assertFalse(_execute(_real()), "executed while paused");
        assertFalse(_sweep(), "swept while paused");
        assertFalse(_batch(), "executed while paused");
        executor.withdraw(b, address(this), 1);
        b.transfer(address(executor), 1);
        _assertNothingLost(before);
        _assertGovernedAlike();
        executor.unpause();
        _noteGovernance();
        return true;
    }

    /// @dev The thief's key is taken away, after any orders, and for the sake of what follows given back.
    function _dismissAndTry() private returns (bool) {
        for (uint256 i = _draw(24); i > 0; --i) {
            executor.setOperator(_draw(2) == 0 ? FIRED : OPERATOR, _draw(2) == 0);
        }
        executor.setOperator(OPERATOR, false);
        executor.setOperator(FIRED, false);
        _noteGovernance();
        assertFalse(_execute(_real()), "executed by one who was dismissed");
        assertFalse(_sweep(), "swept by one who was dismissed");
        _assertGovernedAlike();
        executor.setOperator(OPERATOR, true);
        _noteGovernance();
        return true;
    }

    /// @dev To what it held at first.
    function _withdrawAndRefill() private returns (bool) {
        IERC20[3] memory tokens = [a, b, c];
        for (uint256 i; i < 3; ++i) {
            uint256 balance = tokens[i].balanceOf(address(executor));
            if (balance > CAPITAL) executor.withdraw(tokens[i], address(this), balance - CAPITAL);
            else tokens[i].transfer(address(executor), CAPITAL - balance);
        }
        return true;
    }

    function _execute(bytes memory plan) private returns (bool isDone) {
        isDone = _callAs(OPERATOR, abi.encodeCall(IExecutor.execute, (plan)));
        if (isDone) lastPlan = plan;
    }

    function _callAs(address caller, bytes memory data) private returns (bool isDone) {
        vm.prank(caller);
        (isDone,) = address(executor).call(data);
    }

    function _count(bool isDone) private {
        for (uint256 mark = 1; mark < 33; ++mark) {
            if (marks & 1 << mark == 0) continue;
            ++markTried[mark];
            if (isDone) ++markSucceeded[mark];
        }
    }

    function _drawAction() private returns (Action) {
        uint256 drawn = _draw(100);
        for (uint256 i; i < ACTIONS; ++i) {
            if (drawn < weights[i]) return Action(i);
            drawn -= weights[i];
        }
        return Action.TradeReal;
    }
}
