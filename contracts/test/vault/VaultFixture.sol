// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {DevToken} from "../../src/devnet/DevToken.sol";
import {Locker} from "../../src/Locker.sol";
import {Vault} from "../../src/Vault.sol";
import {StrategyDouble} from "./StrategyDouble.sol";

/// @notice A vault of one token, its roles, a few accounts with tokens, and two listed strategies.
abstract contract VaultFixture is Test {
    address internal constant OWNER = address(0xB1);
    address internal constant OPERATOR = address(0xB2);
    address internal constant ALICE = address(0xA1);
    address internal constant BOB = address(0xA2);
    address internal constant MALLORY = address(0xA3);
    address internal constant NOWHERE = address(0xDEAD);

    uint256 internal constant FEE_BPS = 1_000;
    uint256 internal constant LOCKER_BPS = 4_000;
    uint256 internal constant BPS = 10_000;
    uint256 internal constant CAP = 1_000e18;
    uint256 internal constant ONE = 1e18;
    uint256 internal constant ANY_LOSS = BPS;

    DevToken internal token;
    Vault internal vault;
    Locker internal locker;
    StrategyDouble internal first;
    StrategyDouble internal second;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        token = new DevToken("Token", "TKN", 18, 1_000_000_000e18);
        _use(_newVault());
    }

    function _newVault() internal virtual returns (Vault) {
        return new Vault(token, "Vault", "vTKN", OWNER, FEE_BPS, LOCKER_BPS);
    }

    function _use(Vault newVault) internal {
        vault = newVault;
        locker = vault.locker();
        first = new StrategyDouble(address(vault), token);
        second = new StrategyDouble(address(vault), token);
        vm.startPrank(OWNER);
        vault.setOperator(OPERATOR, true);
        vault.setCap(address(first), CAP);
        vault.setCap(address(second), CAP);
        vm.stopPrank();
        skip(vault.NOTICE());
        _fund(ALICE);
        _fund(BOB);
        _fund(MALLORY);
    }

    function _fund(address account) private {
        token.transfer(account, 1_000_000e18);
        vm.startPrank(account);
        token.approve(address(vault), type(uint256).max);
        vault.approve(address(locker), type(uint256).max);
        vm.stopPrank();
    }

    function _deposit(address account, uint256 assets) internal returns (uint256 shares) {
        vm.prank(account);
        return vault.deposit(assets, account);
    }

    function _redeem(address account, uint256 shares) internal returns (uint256 assets) {
        vm.prank(account);
        return vault.redeem(shares, account, account);
    }

    function _redeemAll(address account) internal returns (uint256 assets) {
        return _redeem(account, vault.balanceOf(account));
    }

    function _allocate(StrategyDouble strategy, uint256 assets) internal {
        vm.prank(OPERATOR);
        vault.allocate(address(strategy), assets);
    }

    /// @notice A strategy earns what nobody has put into it, and the vault fetches it.
    function _earn(StrategyDouble strategy, uint256 assets) internal returns (uint256 gain) {
        token.transfer(address(strategy), assets);
        return vault.harvest(address(strategy));
    }

    /// @notice A strategy earns, and the profit is released.
    function _earnAndWait(StrategyDouble strategy, uint256 assets) internal {
        _earn(strategy, assets);
        skip(vault.RELEASE_PERIOD());
    }

    /// @return The price that shares are bought at, of 1e36 shares.
    function _entryPrice() internal view returns (uint256) {
        return (vault.entryAssets() + 1) * 1e36 / (vault.totalSupply() + 1e6);
    }

    /// @return The price that shares are sold at, of 1e36 shares.
    function _exitPrice() internal view returns (uint256) {
        return (vault.totalAssets() + 1) * 1e36 / (vault.totalSupply() + 1e6);
    }
}
