// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice What a Vault asks of a strategy: a small adapter that belongs to one Vault and puts its asset to work.
///
/// The Vault trusts none of these answers. It counts a strategy at its answer or at what was put into it, whichever is
/// less, and believes a payment when its balance has risen. An honest adapter whose position can be valued wrongly for a
/// moment (in the middle of a trade, or by moving a pool) reverts in `totalAssets` during that moment, or is not listed.
interface IVaultStrategy {
    /// @return The Vault it belongs to, the only caller of `deposit` and `withdraw`.
    function vault() external view returns (address);

    /// @return assets What `withdraw` could pay in the end, costs of leaving taken off.
    function totalAssets() external view returns (uint256 assets);

    /// @notice Told after the Vault has sent `assets`.
    function deposit(uint256 assets) external;

    /// @notice Pays the Vault `assets`, or as much of it as it can at once.
    function withdraw(uint256 assets) external;
}
