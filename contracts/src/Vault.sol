// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault} from "./interfaces/IVault.sol";
import {LinearRelease, Release} from "./libraries/LinearRelease.sol";
import {Locker} from "./Locker.sol";
import {StrategyList} from "./StrategyList.sol";

/// @title Vault
/// @notice Shares of one asset that listed strategies put to work: ERC-4626, immutable, and without a pause.
///
/// Two prices. Shares are bought at `entryAssets`: strategies at cost, profit as far as it is released. They are sold at
/// `totalAssets`: the same, less what strategies lack. So who leaves takes their part of a loss along, and who makes a
/// strategy look poor for a moment cannot buy the shares of the others cheaply.
///
/// Profit is what has arrived here, whoever sent it. It enters both prices evenly over `RELEASE_PERIOD`, so that nobody
/// gains by coming just before it and leaving just after; while it is locked it makes up for losses first.
///
/// The fee is a fixed part of what strategies pay above what was put into them, in new shares, once their losses have been
/// earned back. The owner receives it, less the fixed part of the `Locker`.
///
/// The owner lists strategies and caps, each `NOTICE` ahead; operators move money between here and there. Nobody can pause,
/// change the asset or the fee, mint without paying, or send money anywhere else. Every rounding is in the Vault's favour.
contract Vault is StrategyList, ERC4626 {
    using Math for uint256;
    using LinearRelease for Release;

    uint256 public constant RELEASE_PERIOD = 7 days;
    uint256 public constant FEE_BPS_MAX = 2_000;
    uint256 public constant LOCKER_BPS_MAX = 5_000;
    uint256 internal constant BPS = 10_000;

    /// @notice Of profit that has arrived from strategies.
    uint256 public immutable feeBps;

    /// @notice Of the fee.
    uint256 public immutable lockerBps;
    Locker public immutable locker;

    /// @dev What the Vault knew to hold, debts of strategies included, when it last counted.
    uint256 internal booked;
    Release internal profit;

    // All since the start: what strategies have paid as gains, what was written off, and the most that the first ever
    // exceeded the losses by.
    uint256 private earned;
    uint256 private writtenOff;
    uint256 private highWater;

    struct Valuation {
        uint256 entry;
        uint256 exit;
        uint256 loss;
        uint256[] values;
    }

    constructor(
        IERC20 token,
        string memory name,
        string memory symbol,
        address newOwner,
        uint256 newFeeBps,
        uint256 newLockerBps
    ) ERC20(name, symbol) ERC4626(token) StrategyList(token, newOwner) {
        if (newFeeBps > FEE_BPS_MAX) revert FeeAboveMaximum(newFeeBps, FEE_BPS_MAX);
        if (newLockerBps > LOCKER_BPS_MAX) revert LockerPartAboveMaximum(newLockerBps, LOCKER_BPS_MAX);
        feeBps = newFeeBps;
        lockerBps = newLockerBps;
        locker = new Locker(address(this));
    }

    /// @inheritdoc IVault
    function harvest(address strategy) external nonReentrant onlyListed(strategy) returns (uint256 gain) {
        _count();
        uint256 debt = debtOf(strategy);
        uint256 assets = _read(strategy);
        if (assets <= debt) return 0;
        gain = _pull(strategy, assets - debt);

        uint256 feeAssets = _feeOn(gain);
        uint256 feeShares = _toShares(feeAssets, entryAssets(), Math.Rounding.Floor);
        uint256 lockerShares = feeShares * lockerBps / BPS;
        booked += gain;
        profit = profit.plus(gain - feeAssets, _releasePeriod(), block.timestamp);
        if (feeShares != 0) {
            _mint(address(locker), lockerShares);
            _mint(owner, feeShares - lockerShares);
        }
        emit Harvested(strategy, gain, feeShares - lockerShares, lockerShares);
    }

    /// @inheritdoc IVault
    function writeOff(address strategy) external nonReentrant onlyOwner {
        _count();
        writtenOff += _giveUpAnnounced(strategy);
        _count();
    }

    /// @inheritdoc IVault
    function deposit(uint256 assets, address receiver, uint256 maxLossBps) external returns (uint256 shares) {
        _requireLossAtMost(maxLossBps, _value());
        return deposit(assets, receiver);
    }

    /// @inheritdoc IVault
    function withdraw(uint256 assets, address receiver, address holder, uint256 maxLossBps)
        public
        nonReentrant
        returns (uint256 shares)
    {
        _count();
        Valuation memory value = _value();
        _requireLossAtMost(maxLossBps, value);
        shares = _toShares(assets, value.exit, Math.Rounding.Ceil);
        _leave(assets, shares, receiver, holder, value);
    }

    /// @inheritdoc IVault
    function redeem(uint256 shares, address receiver, address holder, uint256 maxLossBps)
        public
        nonReentrant
        returns (uint256 assets)
    {
        _count();
        Valuation memory value = _value();
        _requireLossAtMost(maxLossBps, value);
        assets = _toAssets(shares, value.exit, Math.Rounding.Floor);
        _leave(assets, shares, receiver, holder, value);
    }

    /// @inheritdoc ERC4626
    /// @dev At the price of `previewWithdraw`, whatever strategies lack: they must not be able to close this door.
    function withdraw(uint256 assets, address receiver, address holder) public override returns (uint256) {
        return withdraw(assets, receiver, holder, BPS);
    }

    /// @inheritdoc ERC4626
    /// @dev At the price of `previewRedeem`, whatever strategies lack: they must not be able to close this door.
    function redeem(uint256 shares, address receiver, address holder) public override returns (uint256) {
        return redeem(shares, receiver, holder, BPS);
    }

    /// @inheritdoc ERC4626
    /// @notice What all shares would be paid: what is here and with strategies, less what is locked or missing.
    function totalAssets() public view override returns (uint256) {
        return _value().exit;
    }

    /// @inheritdoc IVault
    function entryAssets() public view virtual returns (uint256) {
        return Math.min(booked - profit.lockedAt(block.timestamp), _held());
    }

    /// @inheritdoc IVault
    function lockedProfit() external view returns (uint256) {
        return _held() - entryAssets();
    }

    /// @inheritdoc ERC4626
    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return _toShares(assets, entryAssets(), Math.Rounding.Floor);
    }

    /// @inheritdoc ERC4626
    function previewMint(uint256 shares) public view override returns (uint256) {
        return _toAssets(shares, entryAssets(), Math.Rounding.Ceil);
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return _toShares(assets, totalAssets(), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return _toAssets(shares, totalAssets(), rounding);
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override nonReentrant {
        if (shares == 0 && assets != 0) revert DepositBuysNothing(assets);
        _count();
        uint256 idle = TOKEN.balanceOf(address(this));
        super._deposit(caller, receiver, assets, shares);
        uint256 received = TOKEN.balanceOf(address(this)) - idle;
        if (received != assets) revert AssetKeptSome(received, assets);
        booked += assets;
    }

    /// @dev All that is owed is off the books before anybody else is called.
    function _leave(uint256 assets, uint256 shares, address receiver, address holder, Valuation memory value) private {
        if (msg.sender != holder) _spendAllowance(holder, msg.sender, shares);
        uint256 lossShare = _lossShareOf(shares, value);
        _burn(holder, shares);
        booked -= assets + _giveUp(lossShare, value.loss, value.values);
        _freeUntil(assets, value.values);
        _transferOut(receiver, assets);
        emit Withdraw(msg.sender, receiver, holder, assets, shares);
    }

    /// @notice Takes note of what has come or gone since the last count. No price changes by it.
    function _count() internal {
        uint256 held = _held();
        if (held == booked) return;
        if (held > booked) profit = profit.plus(held - booked, _releasePeriod(), block.timestamp);
        else profit = LinearRelease.startingAt(held - entryAssets(), block.timestamp, profit.end);
        booked = held;
    }

    /// @notice The fee on a gain that has arrived, in the asset: on what exceeds all losses, also those that may yet be
    /// made up for, and all that a fee was taken on before.
    function _feeOn(uint256 gain) internal virtual returns (uint256) {
        earned += gain;
        uint256 net = earned.saturatingSub(writtenOff + unrealisedLoss());
        if (net <= highWater) return 0;
        uint256 charged = Math.min(net - highWater, gain);
        highWater = net;
        return charged * feeBps / BPS;
    }

    function _held() internal view returns (uint256) {
        return TOKEN.balanceOf(address(this)) + totalDebt;
    }

    function _value() internal view virtual returns (Valuation memory value) {
        value.entry = entryAssets();
        (value.values, value.loss) = _readAll();
        value.exit = Math.min(value.entry, _held() - value.loss);
    }

    /// @dev Of the loss that lowers the price of leaving, the part of these shares; what locked profit covers is nobody's.
    function _lossShareOf(uint256 shares, Valuation memory value) internal view virtual returns (uint256) {
        return shares.mulDiv(value.entry - value.exit, totalSupply() + 10 ** _decimalsOffset());
    }

    function _requireLossAtMost(uint256 maxLossBps, Valuation memory value) internal pure virtual {
        if ((value.entry - value.exit) * BPS > value.entry * maxLossBps) {
            revert LossAboveMaximum(value.entry, value.exit, maxLossBps);
        }
    }

    function _toShares(uint256 assets, uint256 total, Math.Rounding rounding) internal view virtual returns (uint256) {
        return assets.mulDiv(totalSupply() + 10 ** _decimalsOffset(), total + 1, rounding);
    }

    function _toAssets(uint256 shares, uint256 total, Math.Rounding rounding) internal view virtual returns (uint256) {
        return shares.mulDiv(total + 1, totalSupply() + 10 ** _decimalsOffset(), rounding);
    }

    function _releasePeriod() internal view virtual returns (uint256) {
        return RELEASE_PERIOD;
    }

    /// @dev A million virtual shares: to take one unit from the next depositor by a donation costs about a million.
    function _decimalsOffset() internal view virtual override returns (uint8) {
        return 6;
    }
}
