// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {StableSwapPrecisePool} from "./StableSwapPrecisePool.sol";

/// @notice A pool of the local chain with the interface and the events of Curve's NG pools: rates that move without a
/// log, a fee that grows off the peg, events with lists, its own token.
/// @dev It proves nothing about Curve's contracts.
contract StableSwapNGPool is StableSwapPrecisePool {
    uint256 public immutable offpeg_fee_multiplier;

    constructor(address[] memory poolCoins, uint256 amp, uint256 poolFee, uint256 adminFee, uint256 multiplier)
        StableSwapPrecisePool(poolCoins, amp, poolFee, adminFee)
    {
        offpeg_fee_multiplier = multiplier;
    }

    function totalSupply() external view returns (uint256) {
        return share.totalSupply();
    }

    function balanceOf(address holder) external view returns (uint256) {
        return share.balanceOf(holder);
    }

    function lp_token() external view override returns (address) {
        return address(this);
    }

    function stored_rates() external view returns (uint256[] memory) {
        return rates;
    }

    /// @notice What an oracle would do.
    function setRate(uint256 k, uint256 rate) external onlyOwner {
        rates[k] = rate;
    }

    function _dividesAtEnd() internal pure override returns (bool) {
        return true;
    }

    function _feeRate(uint256 x, uint256 y) internal view override returns (uint256) {
        if (offpeg_fee_multiplier <= FEE_DENOMINATOR) return fee;
        uint256 nearness = (offpeg_fee_multiplier - FEE_DENOMINATOR) * 4 * x * y / (x + y) ** 2;
        return offpeg_fee_multiplier * fee / (nearness + FEE_DENOMINATOR);
    }

    function _log(
        string memory name,
        string memory tail,
        uint256[] memory amounts,
        uint256[] memory fees,
        bytes memory rest
    ) internal override {
        bytes32 topic = keccak256(bytes(string.concat(name, "(address,uint256[],uint256[]", tail)));
        if (rest.length == 32) {
            _emit(topic, abi.encode(amounts, fees, abi.decode(rest, (uint256))));
        } else {
            (uint256 invariant, uint256 tokens) = abi.decode(rest, (uint256, uint256));
            _emit(topic, abi.encode(amounts, fees, invariant, tokens));
        }
    }
}
