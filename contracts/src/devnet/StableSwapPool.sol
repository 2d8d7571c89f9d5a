// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {StableMath} from "./StableMath.sol";
import {StableSwapShare} from "./StableSwapShare.sol";

/// @notice A StableSwap pool for the local chain, with the interface and the events of Curve's plain pools.
/// @dev Our own, after the whitepaper and what Curve's published contracts compute. It drives the tests' mechanics (reading, folding, refusing,
/// executing) and proves nothing about Curve's contracts: their recorded answers do.
contract StableSwapPool {
    using SafeERC20 for IERC20;

    error NotOwner(address caller);
    error NothingGained();
    error TooLittle(uint256 amount, uint256 least);
    error SameCoin();

    event RampA(uint256 old_A, uint256 new_A, uint256 initial_time, uint256 future_time);
    event StopRampA(uint256 A, uint256 t);
    event TokenExchange(
        address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought
    );
    event RemoveLiquidityOne(address indexed provider, uint256 token_amount, uint256 coin_amount);
    event NewFee(uint256 fee, uint256 admin_fee);

    uint256 internal constant FEE_DENOMINATOR = 1e10;
    uint256 internal constant ONE = 1e18;

    address public immutable owner = msg.sender;
    uint256 internal immutable precision;
    StableSwapShare internal immutable share = new StableSwapShare();

    address[] public coins;
    uint256[] public balances;
    uint256[] internal rates;

    uint256 public fee;
    uint256 public admin_fee;
    uint256 public initial_A;
    uint256 public future_A;
    uint256 public initial_A_time;
    uint256 public future_A_time;

    constructor(address[] memory poolCoins, uint256 amp, uint256 aPrecision, uint256 poolFee, uint256 adminFee) {
        precision = aPrecision;
        initial_A = future_A = amp * aPrecision;
        (fee, admin_fee) = (poolFee, adminFee);
        for (uint256 k; k < poolCoins.length; ++k) {
            coins.push(poolCoins[k]);
            balances.push(0);
            rates.push(10 ** (36 - IERC20Metadata(poolCoins[k]).decimals()));
        }
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    function A() external view returns (uint256) {
        return _amp() / precision;
    }

    function get_dy(int128 i, int128 j, uint256 dx) external view returns (uint256) {
        (uint256 gross, uint256 fees,) = _swapped(i, j, dx);
        uint256 rate = _rates()[uint128(j)];
        if (precision > 1) return (gross - fees) * ONE / rate;
        uint256 dy = gross * ONE / rate;
        return dy - dy * fee / FEE_DENOMINATOR;
    }

    function exchange(int128 i, int128 j, uint256 dx, uint256 minDy) external returns (uint256 dy) {
        _touch();
        uint256 adminFees;
        (dy, adminFees) = _exchange(i, j, dx);
        if (dy < minDy) revert TooLittle(dy, minDy);
        balances[uint128(i)] += dx;
        balances[uint128(j)] -= dy + adminFees;
        IERC20(coins[uint128(i)]).safeTransferFrom(msg.sender, address(this), dx);
        IERC20(coins[uint128(j)]).safeTransfer(msg.sender, dy);
        emit TokenExchange(msg.sender, i, dx, j, dy);
    }

    function add_liquidity(uint256[] calldata amounts, uint256 minMint) external returns (uint256 minted) {
        _touch();
        uint256 supply = share.totalSupply();
        uint256[] memory old = balances;
        uint256[] memory changed = balances;
        for (uint256 k; k < amounts.length; ++k) {
            changed[k] += amounts[k];
            if (amounts[k] > 0) IERC20(coins[k]).safeTransferFrom(msg.sender, address(this), amounts[k]);
        }
        (uint256 d0, uint256 d1) = (_invariant(old), _invariant(changed));
        if (d1 <= d0) revert NothingGained();
        uint256[] memory fees = new uint256[](amounts.length);
        if (supply > 0) {
            fees = _settle(old, changed, d0, d1);
            minted = supply * (_invariant(changed) - d0) / d0;
        } else {
            balances = changed;
            minted = d1;
        }
        if (minted < minMint) revert TooLittle(minted, minMint);
        share.mint(msg.sender, minted);
        _log("AddLiquidity", ",uint256,uint256)", amounts, fees, abi.encode(d1, supply + minted));
    }

    function remove_liquidity(uint256 amount) external {
        uint256 supply = share.totalSupply();
        uint256[] memory amounts = new uint256[](coins.length);
        for (uint256 k; k < amounts.length; ++k) {
            amounts[k] = balances[k] * amount / supply;
            balances[k] -= amounts[k];
            IERC20(coins[k]).safeTransfer(msg.sender, amounts[k]);
        }
        share.burn(msg.sender, amount);
        _log("RemoveLiquidity", ",uint256)", amounts, new uint256[](amounts.length), abi.encode(supply - amount));
    }

    function remove_liquidity_imbalance(uint256[] calldata amounts) external {
        _touch();
        uint256 supply = share.totalSupply();
        uint256[] memory old = balances;
        uint256[] memory changed = balances;
        for (uint256 k; k < amounts.length; ++k) {
            changed[k] -= amounts[k];
            IERC20(coins[k]).safeTransfer(msg.sender, amounts[k]);
        }
        (uint256 d0, uint256 d1) = (_invariant(old), _invariant(changed));
        uint256[] memory fees = _settle(old, changed, d0, d1);
        uint256 burned = (d0 - _invariant(changed)) * supply / d0 + 1;
        share.burn(msg.sender, burned);
        _log("RemoveLiquidityImbalance", ",uint256,uint256)", amounts, fees, abi.encode(d1, supply - burned));
    }

    function remove_liquidity_one_coin(uint256 amount, int128 i, uint256 minDy) external returns (uint256 dy) {
        _touch();
        uint256 index = uint128(i);
        uint256 dyFee;
        (dy, dyFee) = _withdrawn(amount, index);
        if (dy < minDy) revert TooLittle(dy, minDy);
        balances[index] -= dy + dyFee * admin_fee / FEE_DENOMINATOR;
        share.burn(msg.sender, amount);
        IERC20(coins[index]).safeTransfer(msg.sender, dy);
        emit RemoveLiquidityOne(msg.sender, amount, dy);
    }

    function apply_new_fee(uint256 newFee, uint256 newAdminFee) external onlyOwner {
        (fee, admin_fee) = (newFee, newAdminFee);
        emit NewFee(newFee, newAdminFee);
    }

    function ramp_A(uint256 amp, uint256 time) external onlyOwner {
        (initial_A, initial_A_time) = (_amp(), block.timestamp);
        (future_A, future_A_time) = (amp * precision, time);
        emit RampA(initial_A, future_A, block.timestamp, time);
    }

    function stop_ramp_A() external onlyOwner {
        uint256 amp = _amp();
        (initial_A, future_A) = (amp, amp);
        (initial_A_time, future_A_time) = (block.timestamp, block.timestamp);
        emit StopRampA(amp, block.timestamp);
    }

    function _amp() internal view returns (uint256) {
        if (block.timestamp >= future_A_time) return future_A;
        (uint256 part, uint256 whole) = (block.timestamp - initial_A_time, future_A_time - initial_A_time);
        if (future_A > initial_A) return initial_A + (future_A - initial_A) * part / whole;
        return initial_A - (initial_A - future_A) * part / whole;
    }

    /// @dev Before anything that changes the pool: what a pool remembers of others is renewed here.
    function _touch() internal virtual {}

    function _rates() internal view virtual returns (uint256[] memory) {
        return rates;
    }

    function _dividesAtEnd() internal pure virtual returns (bool) {
        return false;
    }

    function _feeRate(uint256, uint256) internal view virtual returns (uint256) {
        return fee;
    }

    /// @dev Curve's static arrays stand in an event without their length, which no Solidity type of any length has.
    function _log(
        string memory name,
        string memory tail,
        uint256[] memory amounts,
        uint256[] memory fees,
        bytes memory rest
    ) internal virtual {
        string memory list = string.concat(",uint256[", string(abi.encodePacked(uint8(48 + amounts.length))), "]");
        bytes32 topic = keccak256(bytes(string.concat(name, "(address", list, list, tail)));
        _emit(topic, bytes.concat(abi.encodePacked(amounts), abi.encodePacked(fees), rest));
    }

    function _emit(bytes32 topic, bytes memory data) internal {
        assembly ("memory-safe") {
            log2(add(data, 32), mload(data), topic, caller())
        }
    }

    function _exchange(int128 i, int128 j, uint256 dx) internal view returns (uint256 dy, uint256 adminFees) {
        uint256 rate = _rates()[uint128(j)];
        (uint256 gross, uint256 fees,) = _swapped(i, j, dx);
        dy = (gross - fees) * ONE / rate;
        adminFees = fees * admin_fee / FEE_DENOMINATOR * ONE / rate;
    }

    function _swapped(int128 i, int128 j, uint256 dx) private view returns (uint256 gross, uint256 fees, uint256 y) {
        if (i == j) revert SameCoin();
        (uint256 from, uint256 to) = (uint128(i), uint128(j));
        uint256[] memory xp = _units(balances);
        uint256 before = xp[from];
        uint256 d = StableMath.invariant(xp, _amp(), precision, _dividesAtEnd());
        xp[from] += dx * _rates()[from] / ONE;
        y = StableMath.balance(xp, to, d, _amp(), precision);
        gross = xp[to] - y - 1;
        fees = gross * _feeRate((before + xp[from]) / 2, (xp[to] + y) / 2) / FEE_DENOMINATOR;
    }

    /// @dev The fee on what leaves the pool's proportions; the owner's part leaves the balances.
    function _settle(uint256[] memory old, uint256[] memory changed, uint256 d0, uint256 d1)
        private
        returns (uint256[] memory fees)
    {
        uint256 n = old.length;
        fees = new uint256[](n);
        for (uint256 k; k < n; ++k) {
            uint256 ideal = d1 * old[k] / d0;
            uint256 apart = ideal > changed[k] ? ideal - changed[k] : changed[k] - ideal;
            fees[k] = fee * n / (4 * (n - 1)) * apart / FEE_DENOMINATOR;
            balances[k] = changed[k] - fees[k] * admin_fee / FEE_DENOMINATOR;
            changed[k] -= fees[k];
        }
    }

    /// @dev A coin for pool tokens: the balance at the smaller D, once every balance has paid the fee on what leaves
    /// the proportions. One unit is held back.
    function _withdrawn(uint256 amount, uint256 index) internal view returns (uint256 dy, uint256 dyFee) {
        uint256[] memory xp = _units(balances);
        uint256 n = xp.length;
        uint256 d0 = StableMath.invariant(xp, _amp(), precision, _dividesAtEnd());
        uint256 d1 = d0 - amount * d0 / share.totalSupply();
        uint256 y = StableMath.balance(xp, index, d1, _amp(), precision);
        dyFee = (xp[index] - y) * ONE / _rates()[index];
        for (uint256 k; k < n; ++k) {
            uint256 ideal = xp[k] * d1 / d0;
            uint256 apart = k == index ? ideal - y : xp[k] - ideal;
            xp[k] -= fee * n / (4 * (n - 1)) * apart / FEE_DENOMINATOR;
        }
        dy = (xp[index] - StableMath.balance(xp, index, d1, _amp(), precision) - 1) * ONE / _rates()[index];
        dyFee -= dy;
    }

    function _units(uint256[] memory amounts) internal view returns (uint256[] memory xp) {
        uint256[] memory current = _rates();
        xp = new uint256[](amounts.length);
        for (uint256 k; k < xp.length; ++k) {
            xp[k] = amounts[k] * current[k] / ONE;
        }
    }

    function _invariant(uint256[] memory amounts) internal view returns (uint256) {
        return StableMath.invariant(_units(amounts), _amp(), precision, _dividesAtEnd());
    }
}
