// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {CryptoMath} from "./CryptoMath.sol";

/// @notice A pool of two or three coins around a moving price, for the local chain: it answers, logs and trades as
/// Curve's first generation of such pools does, so that reading, logs, refusals and execution can be exercised. Written
/// by us; when it moves its price scale is a rule of our own. It proves nothing about Curve's contracts.
contract CryptoPool is ERC20 {
    event TokenExchange(
        address indexed buyer, uint256 sold_id, uint256 tokens_sold, uint256 bought_id, uint256 tokens_bought
    );
    event AddLiquidity(address indexed provider, uint256[2] token_amounts, uint256 fee, uint256 token_supply);
    event AddLiquidity(address indexed provider, uint256[3] token_amounts, uint256 fee, uint256 token_supply);
    event RemoveLiquidity(address indexed provider, uint256[2] token_amounts, uint256 token_supply);
    event RemoveLiquidity(address indexed provider, uint256[3] token_amounts, uint256 token_supply);
    event RemoveLiquidityOne(address indexed provider, uint256 token_amount, uint256 coin_index, uint256 coin_amount);
    event NewParameters(
        uint256 admin_fee,
        uint256 mid_fee,
        uint256 out_fee,
        uint256 fee_gamma,
        uint256 allowed_extra_profit,
        uint256 adjustment_step,
        uint256 ma_half_time
    );
    event RampAgamma(
        uint256 initial_A,
        uint256 future_A,
        uint256 initial_gamma,
        uint256 future_gamma,
        uint256 initial_time,
        uint256 future_time
    );
    event StopRampA(uint256 current_A, uint256 current_gamma, uint256 time);

    error Killed();
    error IndexOutOfRange(uint256 i, uint256 j);
    error AmountZero();
    error Slippage(uint256 amount, uint256 minimum);
    error Loss(uint256 virtualPrice, uint256 before);

    uint256 private constant ONE = 1e18;
    uint256 private constant FEE_ONE = 1e10;

    address[] public coins;
    uint256[] public balances;
    uint256[] private precisions;
    uint256[] private prices; // of each coin but the first
    uint256 public D;
    uint256 public virtual_price;
    uint256 public xcp_profit;
    uint256 public mid_fee;
    uint256 public out_fee;
    uint256 public fee_gamma;
    uint256 public initial_A_gamma;
    uint256 public initial_A_gamma_time;
    uint256 public future_A_gamma;
    uint256 public future_A_gamma_time;
    bool public is_killed;

    constructor(
        address[] memory poolCoins,
        uint256[] memory firstPrices,
        uint256[2] memory aGamma,
        uint256[3] memory fees
    ) ERC20("Devnet CryptoSwap", "DCS") {
        coins = poolCoins;
        prices = firstPrices;
        balances = new uint256[](poolCoins.length);
        for (uint256 k; k < poolCoins.length; ++k) {
            precisions.push(10 ** (18 - IERC20Metadata(poolCoins[k]).decimals()));
        }
        initial_A_gamma = future_A_gamma = aGamma[0] << 128 | aGamma[1];
        (mid_fee, out_fee, fee_gamma) = (fees[0], fees[1], fees[2]);
    }

    // ------------------------------------------------------------------ what it tells

    function token() external view returns (address) {
        return address(this);
    }

    function price_scale() external view returns (uint256) {
        return prices[0];
    }

    function price_scale(uint256 k) external view returns (uint256) {
        return prices[k];
    }

    function A() external view returns (uint256 ann) {
        (ann,) = _aGamma();
    }

    function gamma() external view returns (uint256 value) {
        (, value) = _aGamma();
    }

    function get_dy(uint256 i, uint256 j, uint256 dx) external view returns (uint256 dy) {
        uint256[] memory raw = balances;
        uint256 invariant = future_A_gamma_time > 0 ? _invariant(_common(raw)) : D;
        (dy,) = _quote(raw, [i, j], dx, invariant);
    }

    // ------------------------------------------------------------------ what it does

    function exchange(uint256 i, uint256 j, uint256 dx, uint256 min_dy) external returns (uint256 dy) {
        require(!is_killed, Killed());
        uint256[] memory raw = balances;
        if (future_A_gamma_time > 0) {
            D = _invariant(_common(raw));
            if (block.timestamp >= future_A_gamma_time) future_A_gamma_time = 1;
        }
        uint256[] memory common;
        (dy, common) = _quote(raw, [i, j], dx, D);
        require(dy >= min_dy, Slippage(dy, min_dy));
        balances[i] += dx;
        balances[j] -= dy;
        common[j] = balances[j] * _scale(j) / ONE;
        IERC20Metadata(coins[i]).transferFrom(msg.sender, address(this), dx);
        IERC20Metadata(coins[j]).transfer(msg.sender, dy);
        _settle(_invariant(common));
        emit TokenExchange(msg.sender, i, dx, j, dy);
    }

    function add_liquidity(uint256[] calldata amounts) external {
        uint256 before = future_A_gamma_time > 0 ? _invariant(_common(balances)) : D;
        for (uint256 k; k < amounts.length; ++k) {
            if (amounts[k] == 0) continue;
            balances[k] += amounts[k];
            IERC20Metadata(coins[k]).transferFrom(msg.sender, address(this), amounts[k]);
        }
        uint256 invariant = _invariant(_common(balances));
        if (before == 0) {
            (D, virtual_price, xcp_profit) = (invariant, ONE, ONE);
            _mint(msg.sender, _mean(invariant, prices));
            _logAdded(amounts, 0);
            return;
        }
        uint256 minted = totalSupply() * invariant / before - totalSupply();
        uint256 fee = minted * mid_fee / FEE_ONE + 1;
        _mint(msg.sender, minted - fee);
        _settle(invariant);
        _logAdded(amounts, fee);
    }

    function remove_liquidity(uint256 amount) external {
        uint256 supply = totalSupply();
        _burn(msg.sender, amount);
        uint256[] memory amounts = balances;
        for (uint256 k; k < amounts.length; ++k) {
            amounts[k] = amounts[k] * (amount - 1) / supply;
            balances[k] -= amounts[k];
            IERC20Metadata(coins[k]).transfer(msg.sender, amounts[k]);
        }
        D -= D * (amount - 1) / supply;
        if (amounts.length == 2) emit RemoveLiquidity(msg.sender, [amounts[0], amounts[1]], totalSupply());
        else emit RemoveLiquidity(msg.sender, [amounts[0], amounts[1], amounts[2]], totalSupply());
    }

    function remove_liquidity_one_coin(uint256 amount, uint256 i) external {
        uint256[] memory common = _common(balances);
        uint256 invariant = future_A_gamma_time > 0 ? _invariant(common) : D;
        uint256 part = amount * invariant / totalSupply();
        invariant -= part - (part * out_fee / (2 * FEE_ONE) + 1);
        uint256 given = (common[i] - CryptoMath.balanceFor(_curve(invariant), common, i)) * ONE / _scale(i);
        balances[i] -= given;
        _burn(msg.sender, amount);
        IERC20Metadata(coins[i]).transfer(msg.sender, given);
        _settle(invariant);
        emit RemoveLiquidityOne(msg.sender, amount, i, given);
    }

    /// @notice Takes in what was sent here, and finds D anew; as the real ones do, without a log where nobody is paid.
    function claim_admin_fees() external {
        for (uint256 k; k < coins.length; ++k) {
            balances[k] = IERC20Metadata(coins[k]).balanceOf(address(this));
        }
        D = _invariant(_common(balances));
        virtual_price = ONE * _mean(D, prices) / totalSupply();
    }

    function ramp_A_gamma(uint256 futureA, uint256 futureGamma, uint256 futureTime) external {
        (uint256 ann, uint256 value) = _aGamma();
        (initial_A_gamma, initial_A_gamma_time) = (ann << 128 | value, block.timestamp);
        (future_A_gamma, future_A_gamma_time) = (futureA << 128 | futureGamma, futureTime);
        emit RampAgamma(ann, futureA, value, futureGamma, block.timestamp, futureTime);
    }

    function stop_ramp_A_gamma() external {
        (uint256 ann, uint256 value) = _aGamma();
        initial_A_gamma = future_A_gamma = ann << 128 | value;
        initial_A_gamma_time = future_A_gamma_time = block.timestamp;
        emit StopRampA(ann, value, block.timestamp);
    }

    function apply_new_parameters(uint256 midFee, uint256 outFee, uint256 feeGamma) external {
        (mid_fee, out_fee, fee_gamma) = (midFee, outFee, feeGamma);
        emit NewParameters(0, midFee, outFee, feeGamma, 0, 0, 0);
    }

    function kill_me() external {
        is_killed = true;
    }

    // ------------------------------------------------------------------ inside

    /// @dev The output, and the balances in common units with that of coin j as the invariant leaves it.
    function _quote(uint256[] memory raw, uint256[2] memory way, uint256 dx, uint256 invariant)
        private
        view
        returns (uint256 dy, uint256[] memory common)
    {
        (uint256 i, uint256 j) = (way[0], way[1]);
        require(i != j && i < raw.length && j < raw.length, IndexOutOfRange(i, j));
        require(dx > 0, AmountZero());
        raw[i] += dx;
        common = _common(raw);
        uint256 left = CryptoMath.balanceFor(_curve(invariant), common, j);
        dy = (common[j] - left - 1) * ONE / _scale(j);
        common[j] = left;
        dy -= _fee(common) * dy / FEE_ONE;
    }

    function _fee(uint256[] memory common) private view returns (uint256) {
        uint256 even = CryptoMath.evenness(common);
        uint256 share = fee_gamma * ONE / (fee_gamma + ONE - even);
        return (mid_fee * share + out_fee * (ONE - share)) / ONE;
    }

    /// @dev D has changed to `invariant`: refuse a loss, and move the prices by a thousandth where profit allows.
    function _settle(uint256 invariant) private {
        uint256 value = ONE * _mean(invariant, prices) / totalSupply();
        if (future_A_gamma_time == 0) require(value >= virtual_price, Loss(value, virtual_price));
        if (future_A_gamma_time == 1) future_A_gamma_time = 0;
        xcp_profit = xcp_profit * value / virtual_price;
        (D, virtual_price) = (invariant, value);
        uint256[] memory old = prices;
        prices = _moved(old);
        uint256[] memory common = _common(balances);
        uint256 movedInvariant = _invariant(common);
        uint256 movedValue = ONE * _mean(movedInvariant, prices) / totalSupply();
        if (movedValue > ONE && 2 * movedValue - ONE > xcp_profit) (D, virtual_price) = (movedInvariant, movedValue);
        else prices = old;
    }

    /// @dev The scarcer a coin, the dearer.
    function _moved(uint256[] memory old) private view returns (uint256[] memory moved) {
        uint256[] memory common = _common(balances);
        moved = new uint256[](old.length);
        for (uint256 k; k < old.length; ++k) {
            moved[k] = common[k + 1] < common[0] ? old[k] + old[k] / 1000 : old[k] - old[k] / 1000;
        }
    }

    function _mean(uint256 invariant, uint256[] memory at) private pure returns (uint256) {
        uint256 count = at.length + 1;
        uint256[] memory parts = new uint256[](count);
        parts[0] = invariant / count;
        for (uint256 k; k < at.length; ++k) {
            parts[k + 1] = invariant * ONE / (count * at[k]);
        }
        return CryptoMath.mean(CryptoMath.sorted(parts));
    }

    function _invariant(uint256[] memory common) private view returns (uint256) {
        (uint256 ann, uint256 value) = _aGamma();
        return CryptoMath.invariantOf(ann, value, common);
    }

    function _curve(uint256 invariant) private view returns (CryptoMath.Curve memory) {
        (uint256 ann, uint256 value) = _aGamma();
        return CryptoMath.Curve(ann, value, invariant);
    }

    function _common(uint256[] memory raw) private view returns (uint256[] memory common) {
        common = new uint256[](raw.length);
        for (uint256 k; k < raw.length; ++k) {
            common[k] = raw[k] * _scale(k) / ONE;
        }
    }

    function _scale(uint256 k) private view returns (uint256) {
        return precisions[k] * (k == 0 ? ONE : prices[k - 1]);
    }

    function _aGamma() private view returns (uint256 ann, uint256 value) {
        (ann, value) = (future_A_gamma >> 128, uint128(future_A_gamma));
        if (block.timestamp >= future_A_gamma_time) return (ann, value);
        uint256 whole = future_A_gamma_time - initial_A_gamma_time;
        uint256 done = block.timestamp - initial_A_gamma_time;
        ann = ((initial_A_gamma >> 128) * (whole - done) + ann * done) / whole;
        value = (uint128(initial_A_gamma) * (whole - done) + value * done) / whole;
    }

    function _logAdded(uint256[] calldata amounts, uint256 fee) private {
        if (amounts.length == 2) emit AddLiquidity(msg.sender, [amounts[0], amounts[1]], fee, totalSupply());
        else emit AddLiquidity(msg.sender, [amounts[0], amounts[1], amounts[2]], fee, totalSupply());
    }
}
