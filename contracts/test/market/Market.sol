// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {DevToken} from "../../src/devnet/DevToken.sol";
import {IExecutor} from "../../src/interfaces/IExecutor.sol";
import {Funding} from "../../src/libraries/PlanReader.sol";
import {CurveCall, StepKind} from "../../src/libraries/Step.sol";
import {Plan, PlanWriter} from "../PlanWriter.sol";
import {Erc3156LenderDouble} from "../venues/Erc3156LenderDouble.sol";
import {MorphoDouble} from "../venues/MorphoDouble.sol";
import {AaveMarket} from "./AaveMarket.sol";
import {BalancerMarket} from "./BalancerMarket.sol";
import {DoublesMarket} from "./DoublesMarket.sol";
import {IFactoryV2, UniswapMarket} from "./UniswapMarket.sol";
import {UniswapV4Market} from "./UniswapV4Market.sol";

/// @notice Three tokens and an Executor that holds some of each. Every protocol sells a for b in a rich pool, where one a
/// buys 1.1 b, and trades b/a, b/c and c/a in fair pools, one for one: a -> b -> a and a -> b -> c -> a pay by any mix.
abstract contract Market is UniswapMarket, UniswapV4Market, BalancerMarket, DoublesMarket, AaveMarket {
    using PlanWriter for Plan;
    using SafeERC20 for IERC20;

    uint256 internal constant RESERVE = 1_000_000e18;
    uint256 internal constant CAPITAL = 1_000e18;
    uint256 internal constant FEE_PIPS = 3000;
    uint256 internal constant LENDER_FEE_BPS = 5;

    IERC20 internal a;
    IERC20 internal b;
    IERC20 internal c;
    address internal wrappedNative;
    IExecutor internal executor;

    /// @dev Keyed by kind, tokenIn and tokenOut: of a weighted pool the poolId, of a pool of Uniswap v4 its terms, else the
    /// address of the pair or pool.
    mapping(StepKind => mapping(IERC20 => mapping(IERC20 => bytes32))) internal pools;
    address internal poolLender;
    address internal morpho;
    address internal erc3156Lender;

    function setUp() public virtual {
        (a, b, c) = (_newToken("A"), _newToken("B"), _newToken("C"));
        wrappedNative = _newWrappedNative();
        executor = _newExecutor(address(this), wrappedNative);
        executor.setOperator(address(this), true);
        _setListed(a);
        _setListed(b);
        _setListed(c);
        _newPairs();
        _newPools();
        _newWeightedPools();
        _newPoolsV4();
        _newCurvePools();
        _newPoolsV3Balancer();
        _newSolidlyPairs();
        _newAave(a, RESERVE);
        _newLenders();
        a.safeTransfer(address(executor), CAPITAL);
        b.safeTransfer(address(executor), CAPITAL);
        c.safeTransfer(address(executor), CAPITAL);
    }

    function _newWrappedNative() internal virtual returns (address) {
        return _deploy("@uniswap/v2-periphery/build/WETH9.json", ".bytecode", "");
    }

    function _newToken(string memory name) internal virtual returns (IERC20) {
        return new DevToken(name, name, 18, type(uint128).max);
    }

    function _setListed(IERC20 token) internal {
        IERC20[] memory tokens = new IERC20[](1);
        tokens[0] = token;
        executor.setListed(tokens, true);
    }

    /// @dev A plan over `kinds`: two steps walk a -> b -> a, three a -> b -> c -> a.
    function _cycle(Funding funding, StepKind[] memory kinds, uint256 amountIn)
        internal
        view
        returns (Plan memory plan)
    {
        plan = PlanWriter.begin(funding, _lender(funding), amountIn, address(a), address(b), address(c));
        uint8[4] memory walk = kinds.length == 2 ? [0, 1, 0, 0] : [0, 1, 2, 0];
        for (uint256 i; i < kinds.length; ++i) {
            _append(plan, kinds[i], walk[i], walk[i + 1]);
        }
    }

    function _append(Plan memory plan, StepKind kind, uint8 indexIn, uint8 indexOut) internal view {
        IERC20[3] memory tokens = [a, b, c];
        (IERC20 tokenIn, IERC20 tokenOut) = (tokens[indexIn], tokens[indexOut]);
        bytes32 pool = pools[kind][tokenIn][tokenOut];
        address venue = _venue(kind, tokenIn, tokenOut);
        if (kind == StepKind.UniswapV2) plan.stepV2(indexIn, indexOut, FEE_PIPS, venue);
        else if (kind == StepKind.UniswapV3) plan.stepV3(indexIn, indexOut, venue);
        else if (kind == StepKind.BalancerV2) plan.stepBalancer(indexIn, indexOut, venue, pool);
        else if (kind == StepKind.UniswapV4) plan.stepV4(indexIn, indexOut, venue, bytes26(pool));
        else if (kind == StepKind.Curve) _appendCurve(plan, indexIn, indexOut, venue);
        else if (kind == StepKind.BalancerV3) plan.stepBalancerV3(indexIn, indexOut, venue, _address(pool));
        else plan.stepSolidly(indexIn, indexOut, venue);
    }

    /// @dev Another of the pool's functions for each token spent; the last counts the coins backwards.
    function _appendCurve(Plan memory plan, uint8 indexIn, uint8 indexOut, address pool) private pure {
        CurveCall call = CurveCall(indexIn);
        uint8[2] memory coins = call == CurveCall.ExchangeUnderlying ? [2 - indexIn, 2 - indexOut] : [indexIn, indexOut];
        plan.stepCurve(indexIn, indexOut, pool, call, coins);
    }

    /// @dev What a step of the kind calls.
    function _venue(StepKind kind, IERC20 tokenIn, IERC20 tokenOut) internal view returns (address) {
        if (kind == StepKind.BalancerV2) return vault;
        if (kind == StepKind.UniswapV4) return address(manager);
        if (kind == StepKind.BalancerV3) return address(vaultV3);
        return _address(pools[kind][tokenIn][tokenOut]);
    }

    function _lender(Funding funding) internal view returns (address) {
        if (funding == Funding.BalancerV2Loan) return vault;
        if (funding == Funding.UniswapV3Loan) return poolLender;
        if (funding == Funding.AaveV3Loan) return aavePool;
        if (funding == Funding.BalancerV3Loan) return address(vaultV3);
        if (funding == Funding.UniswapV4Loan) return address(manager);
        if (funding == Funding.MorphoLoan) return morpho;
        if (funding == Funding.Erc3156Loan) return erc3156Lender;
        return address(0);
    }

    function _kinds(StepKind first, StepKind second) internal pure returns (StepKind[] memory kinds) {
        kinds = new StepKind[](2);
        (kinds[0], kinds[1]) = (first, second);
    }

    function _kinds(StepKind first, StepKind second, StepKind third) internal pure returns (StepKind[] memory kinds) {
        kinds = new StepKind[](3);
        (kinds[0], kinds[1], kinds[2]) = (first, second, third);
    }

    function _assertNoAllowances() internal view {
        IERC20[3] memory tokens = [a, b, c];
        for (uint256 i; i < 3; ++i) {
            assertEq(tokens[i].allowance(address(executor), vault), 0, "allowance of the Vault");
            assertEq(tokens[i].allowance(address(executor), aavePool), 0, "allowance of Aave");
            assertEq(tokens[i].allowance(address(executor), _venue(StepKind.Curve, a, b)), 0, "allowance of a pool");
            assertEq(tokens[i].allowance(address(executor), _venue(StepKind.Curve, b, a)), 0, "allowance of a pool");
        }
    }

    function _newLenders() private {
        (morpho, erc3156Lender) = (address(new MorphoDouble()), address(new Erc3156LenderDouble(LENDER_FEE_BPS)));
        a.safeTransfer(morpho, RESERVE);
        a.safeTransfer(erc3156Lender, RESERVE);
    }

    function _newPairs() private {
        (IFactoryV2 rich, IFactoryV2 fair) = (_newFactoryV2(), _newFactoryV2());
        _list(StepKind.UniswapV2, a, b, _newPair(rich, a, b, RESERVE, RESERVE * 11 / 10));
        _list(StepKind.UniswapV2, b, a, _newPair(fair, b, a, RESERVE, RESERVE));
        _list(StepKind.UniswapV2, b, c, _newPair(fair, b, c, RESERVE, RESERVE));
        _list(StepKind.UniswapV2, c, a, _newPair(fair, c, a, RESERVE, RESERVE));
    }

    function _newPools() private {
        _list(StepKind.UniswapV3, a, b, _newPool(a, b, 3000, 11, 10, uint128(RESERVE)));
        _list(StepKind.UniswapV3, b, a, _newPool(b, a, 500, 1, 1, uint128(RESERVE)));
        _list(StepKind.UniswapV3, b, c, _newPool(b, c, 3000, 1, 1, uint128(RESERVE)));
        _list(StepKind.UniswapV3, c, a, _newPool(c, a, 3000, 1, 1, uint128(RESERVE)));
        poolLender = _newPool(a, c, 500, 1, 1, uint128(RESERVE));
    }

    function _newWeightedPools() private {
        _newVault();
        bytes32 fair = _newWeightedPool([a, b, c], [RESERVE, RESERVE, RESERVE]);
        pools[StepKind.BalancerV2][a][b] = _newWeightedPool([a, b, c], [RESERVE, RESERVE * 11 / 10, RESERVE]);
        pools[StepKind.BalancerV2][b][a] = fair;
        pools[StepKind.BalancerV2][b][c] = fair;
        pools[StepKind.BalancerV2][c][a] = fair;
    }

    function _newPoolsV4() private {
        _newManager();
        pools[StepKind.UniswapV4][a][b] = _newPoolV4(a, b, 3000, address(0), [uint256(11), 10], uint128(RESERVE));
        pools[StepKind.UniswapV4][b][a] = _newPoolV4(b, a, 500, address(0), [uint256(1), 1], uint128(RESERVE));
        pools[StepKind.UniswapV4][b][c] = _newPoolV4(b, c, 3000, address(0), [uint256(1), 1], uint128(RESERVE));
        pools[StepKind.UniswapV4][c][a] = _newPoolV4(c, a, 3000, address(0), [uint256(1), 1], uint128(RESERVE));
    }

    function _newCurvePools() private {
        _list(StepKind.Curve, a, b, _newCurvePool([a, b, c], [uint256(11), 10, 10], RESERVE));
        _listFair(StepKind.Curve, _newCurvePool([a, b, c], [uint256(1), 1, 1], RESERVE));
    }

    function _newPoolsV3Balancer() private {
        _newVaultV3();
        _list(StepKind.BalancerV3, a, b, _newPoolV3Balancer([a, b, c], [RESERVE, RESERVE * 11 / 10, RESERVE]));
        _listFair(StepKind.BalancerV3, _newPoolV3Balancer([a, b, c], [RESERVE, RESERVE, RESERVE]));
    }

    function _newSolidlyPairs() private {
        _list(StepKind.Solidly, a, b, _newSolidlyPair(a, b, RESERVE, RESERVE * 11 / 10));
        _list(StepKind.Solidly, b, a, _newSolidlyPair(b, a, RESERVE, RESERVE));
        _list(StepKind.Solidly, b, c, _newSolidlyPair(b, c, RESERVE, RESERVE));
        _list(StepKind.Solidly, c, a, _newSolidlyPair(c, a, RESERVE, RESERVE));
    }

    /// @dev One pool of all three tokens.
    function _listFair(StepKind kind, address venue) private {
        _list(kind, b, a, venue);
        _list(kind, b, c, venue);
        _list(kind, c, a, venue);
    }

    function _address(bytes32 word) private pure returns (address) {
        return address(uint160(uint256(word)));
    }

    function _list(StepKind kind, IERC20 tokenIn, IERC20 tokenOut, address venue) private {
        pools[kind][tokenIn][tokenOut] = bytes32(uint256(uint160(venue)));
    }
}
