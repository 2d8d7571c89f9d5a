// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {Funding} from "../src/libraries/PlanReader.sol";
import {StepKind} from "../src/libraries/Step.sol";
import {Market} from "./market/Market.sol";
import {IRouter, NaiveExecutor} from "./NaiveExecutor.sol";
import {Plan, PlanWriter} from "./PlanWriter.sol";

interface IPairV2 {
    function factory() external view returns (address);
}

interface IWETH9 {
    function deposit() external payable;
}

/// @notice The gas of whole transactions, 21,000 and calldata included, on pools and tokens already in use; every token is
/// a WETH9 with its published bytecode.
/// forge-config: default.isolate = true
contract GasTest is Market {
    using PlanWriter for Plan;

    uint256 private constant AMOUNT = 100e18;
    uint64 private constant DEADLINE_BLOCK = 24_000_000;
    uint256 private constant V2_CYCLE_GAS_MAX = 200_000;
    uint256 private constant GUARD_GAS_MAX = 7_000;
    uint256 private constant TOKEN_GAS_MAX = 2_000;

    StepKind private constant V2 = StepKind.UniswapV2;
    StepKind private constant V3 = StepKind.UniswapV3;
    StepKind private constant BALANCER = StepKind.BalancerV2;

    function setUp() public override {
        super.setUp();
        for (uint8 kind = 1; kind <= uint8(type(StepKind).max); ++kind) {
            _executeAndWait(_cycle(Funding.OwnCapital, _kinds(StepKind(kind), StepKind(kind)), AMOUNT));
            _executeAndWait(_cycle(Funding.OwnCapital, _kinds(StepKind(kind), StepKind(kind), StepKind(kind)), AMOUNT));
        }
        for (uint8 loan = uint8(Funding.BalancerV2Loan); loan <= uint8(type(Funding).max); ++loan) {
            _executeAndWait(_cycle(Funding(loan), _kinds(V2, V2), AMOUNT));
        }
    }

    function _newToken(string memory) internal override returns (IERC20 token) {
        token = IERC20(_deploy("@uniswap/v2-periphery/build/WETH9.json", ".bytecode", ""));
        vm.deal(address(this), 100 * RESERVE);
        IWETH9(address(token)).deposit{value: 100 * RESERVE}();
    }

    /// @dev The token that the plans begin with.
    function _newWrappedNative() internal view override returns (address) {
        return address(a);
    }

    function test_v2_v2_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, V2));
    }

    function test_v2_v2_flash_swap() public {
        _measure(Funding.FlashSwap, _kinds(V2, V2));
    }

    function test_v2_v2_v2_own_capital() public {
        assertLe(_measure(Funding.OwnCapital, _kinds(V2, V2, V2)), V2_CYCLE_GAS_MAX);
    }

    /// @dev Against what one writes first, a router for each hop, with no roles but an owner and no pause.
    function test_v2_v2_v2_takes_a_fifth_less_than_by_routers() public {
        uint256 state = vm.snapshotState();
        uint256 byRouters = _measureRouters();
        vm.revertToState(state);
        emit log_named_uint("gas of the transaction by routers", byRouters);
        assertLe(_measure(Funding.OwnCapital, _kinds(V2, V2, V2)) * 5, byRouters * 4);
    }

    function test_role_pause_and_guard_cost_so_much_and_each_token_more_that_is_spent_from_here() public {
        IExecutor guarded = executor;
        IExecutor bare =
            IExecutor(vm.deployCode("UnguardedExecutor.sol:UnguardedExecutor", abi.encode(address(this), a)));
        for (uint256 i; i < 3; ++i) {
            [a, b, c][i].transfer(address(bare), CAPITAL);
        }
        StepKind[][5] memory walks =
            [_kinds(V2, V2), _kinds(V2, V2, V2), _kinds(V2, V3), _kinds(V2, BALANCER), _kinds(V3, V3, V3)];
        uint256[5] memory tokensMore = [uint256(0), 0, 1, 1, 2]; // counted beside the first
        for (uint256 i; i < walks.length; ++i) {
            uint256 state = vm.snapshotState();
            executor = guarded;
            uint256 gasGuarded = _measure(Funding.OwnCapital, walks[i]);
            vm.revertToState(state);
            executor = bare;
            uint256 gasBare = _measure(Funding.OwnCapital, walks[i]);
            vm.revertToState(state);
            emit log_named_uint("gas of role, pause and guard", gasGuarded - gasBare);
            assertLe(gasGuarded - gasBare, GUARD_GAS_MAX + tokensMore[i] * TOKEN_GAS_MAX);
        }
    }

    function test_v2_v2_v2_flash_swap() public {
        _measure(Funding.FlashSwap, _kinds(V2, V2, V2));
    }

    function test_v2_v3_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, V3));
    }

    function test_v3_v2_flash_swap() public {
        _measure(Funding.FlashSwap, _kinds(V3, V2));
    }

    function test_v3_balancer_aave_loan() public {
        _measure(Funding.AaveV3Loan, _kinds(V3, BALANCER));
    }

    function test_v3_balancer_v3_loan() public {
        _measure(Funding.UniswapV3Loan, _kinds(V3, BALANCER));
    }

    /// @dev The Vault bars its own swaps while it lends: two pools of Uniswap v3 instead.
    function test_v3_v3_balancer_loan() public {
        _measure(Funding.BalancerV2Loan, _kinds(V3, V3));
    }

    /// @dev Of this and the next six what a loan adds is what they take more than v2 -> v3 with own capital.
    function test_v2_v3_balancer_v2_loan() public {
        _measure(Funding.BalancerV2Loan, _kinds(V2, V3));
    }

    function test_v2_v3_uniswap_v3_loan() public {
        _measure(Funding.UniswapV3Loan, _kinds(V2, V3));
    }

    function test_v2_v3_aave_v3_loan() public {
        _measure(Funding.AaveV3Loan, _kinds(V2, V3));
    }

    function test_v2_v3_uniswap_v4_loan() public {
        _measure(Funding.UniswapV4Loan, _kinds(V2, V3));
    }

    /// @dev Of this and the next two only what the Executor adds is real: their lenders are doubles.
    function test_v2_v3_balancer_v3_double_loan() public {
        _measure(Funding.BalancerV3Loan, _kinds(V2, V3));
    }

    function test_v2_v3_morpho_double_loan() public {
        _measure(Funding.MorphoLoan, _kinds(V2, V3));
    }

    function test_v2_v3_erc3156_double_loan() public {
        _measure(Funding.Erc3156Loan, _kinds(V2, V3));
    }

    function test_v2_v4_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, StepKind.UniswapV4));
    }

    function test_v2_balancer_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, BALANCER));
    }

    /// @dev Of this and the next two only what the Executor adds is real: their venues are doubles.
    function test_v2_curve_double_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, StepKind.Curve));
    }

    function test_v2_balancer_v3_double_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, StepKind.BalancerV3));
    }

    function test_v2_solidly_double_own_capital() public {
        _measure(Funding.OwnCapital, _kinds(V2, StepKind.Solidly));
    }

    function _measure(Funding funding, StepKind[] memory kinds) private returns (uint256 gasUsed) {
        Plan memory plan = _cycle(funding, kinds, AMOUNT);
        plan.deadlineBlock = DEADLINE_BLOCK;
        executor.execute(plan.encode());
        gasUsed = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas of the transaction", gasUsed);
    }

    /// @dev The second of two equal trades, as for the Executor: nothing is used for the first time.
    function _measureRouters() private returns (uint256 gasUsed) {
        NaiveExecutor naive = new NaiveExecutor();
        (IRouter[] memory routers, IERC20[] memory tokens) = (new IRouter[](3), new IERC20[](3));
        (tokens[0], tokens[1], tokens[2]) = (a, b, c);
        for (uint256 i; i < 3; ++i) {
            tokens[i].transfer(address(naive), CAPITAL);
            address pair = _venue(StepKind.UniswapV2, tokens[i], tokens[(i + 1) % 3]);
            routers[i] = IRouter(
                _deploy(
                    "@uniswap/v2-periphery/build/UniswapV2Router02.json",
                    ".bytecode",
                    abi.encode(IPairV2(pair).factory(), a)
                )
            );
        }
        naive.execute(routers, tokens, AMOUNT, 0);
        vm.warp(vm.getBlockTimestamp() + 12);
        naive.execute(routers, tokens, AMOUNT, 0);
        gasUsed = vm.lastCallGas().gasTotalUsed;
    }

    /// @dev Until the next block: a pair writes its price sums once per block.
    function _executeAndWait(Plan memory plan) private {
        executor.execute(plan.encode());
        vm.warp(vm.getBlockTimestamp() + 12);
    }
}
