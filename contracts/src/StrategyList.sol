// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IVaultStrategy} from "./interfaces/IVaultStrategy.sol";

/// @title StrategyList
/// @notice The part of a Vault that deals with strategies: who may list them, how much may go into each, what they are
/// counted at, and how money comes back.
///
/// A strategy is counted at what it says it has, but never above its debt, which is the Vault's own sum of what it put in
/// and got back. Whatever a strategy says or does, it can cost no more than its debt, and the debt never exceeds its cap.
/// It gets a fixed amount of gas, all of it or the whole call reverts: one that uses it up, reverts, or answers nonsense
/// counts as empty, and a caller cannot make an honest one look empty by bringing too little gas.
abstract contract StrategyList is IVault {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    struct Strategy {
        uint128 debt;
        uint128 cap;
        uint128 capNext;
        uint64 capFrom;
        bool isListed;
        uint128 lossAnnounced;
        uint64 lossFrom;
    }

    /// @notice The time between the announcement of a new strategy or a higher cap and the first money that may go there.
    /// Leaving takes one transaction, also for who is locked in the Locker: a notice opens every lock.
    uint256 public constant NOTICE = 14 days;

    /// @notice So few that leaving fits into a block even if every one of them burns all the gas it is given.
    uint256 public constant MAX_STRATEGIES = 8;

    uint256 internal constant READ_GAS = 200000;
    uint256 internal constant PULL_GAS = 1000000;
    uint256 private constant CALL_OVERHEAD_GAS = 5000;

    address public immutable owner;
    IERC20 internal immutable TOKEN;

    mapping(address => bool) public isOperator;
    uint256 public totalDebt;
    uint64 public announcedAt;
    uint64 public noticeEnd;

    address[] private list;
    mapping(address => Strategy) private book;

    bool private transient entered;

    modifier nonReentrant() {
        if (entered) revert Reentered(msg.sender);
        entered = true;
        _;
        entered = false;
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyListed(address strategy) {
        if (!book[strategy].isListed) revert NotListed(strategy);
        _;
    }

    constructor(IERC20 token, address newOwner) {
        if (newOwner == address(0)) revert OwnerIsZero();
        TOKEN = token;
        owner = newOwner;
    }

    /// @inheritdoc IVault
    function setOperator(address operator, bool newIsOperator) external onlyOwner {
        isOperator[operator] = newIsOperator;
        emit OperatorSet(operator, newIsOperator);
    }

    /// @inheritdoc IVault
    function setCap(address strategy, uint256 newCap) external onlyOwner {
        Strategy storage entry = book[strategy];
        if (!entry.isListed) _enlist(strategy);

        uint256 cap = capOf(strategy);
        bool isRaised = newCap > cap;
        uint256 from = isRaised ? block.timestamp + NOTICE : block.timestamp;
        entry.cap = (isRaised ? cap : newCap).toUint128();
        entry.capNext = newCap.toUint128();
        entry.capFrom = from.toUint64();
        if (isRaised) (announcedAt, noticeEnd) = (uint64(block.timestamp), from.toUint64());
        emit CapSet(strategy, newCap, from);
    }

    /// @inheritdoc IVault
    function unlist(address strategy) external onlyOwner onlyListed(strategy) {
        uint256 debt = book[strategy].debt;
        if (debt != 0) revert StrategyInDebt(strategy, debt);
        delete book[strategy];

        uint256 place;
        while (list[place] != strategy) ++place;
        for (; place + 1 < list.length; ++place) {
            list[place] = list[place + 1];
        }
        list.pop();
        emit Unlisted(strategy);
    }

    /// @inheritdoc IVault
    function announceLoss(address strategy) external onlyOwner onlyListed(strategy) {
        Strategy storage entry = book[strategy];
        uint256 loss = entry.debt - _valueOf(strategy, entry.debt);
        if (loss == 0) revert NothingLost(strategy);
        entry.lossAnnounced = loss.toUint128();
        entry.lossFrom = (block.timestamp + NOTICE).toUint64();
        emit LossAnnounced(strategy, loss, entry.lossFrom);
    }

    /// @inheritdoc IVault
    function allocate(address strategy, uint256 assets) external nonReentrant {
        if (!isOperator[msg.sender]) revert NotOperator(msg.sender);
        uint256 debt = book[strategy].debt + assets;
        if (debt > capOf(strategy)) revert CapExceeded(strategy, debt, capOf(strategy));

        book[strategy].debt = debt.toUint128();
        totalDebt += assets;
        emit Allocated(strategy, assets);
        TOKEN.safeTransfer(strategy, assets);
        IVaultStrategy(strategy).deposit(assets);
    }

    /// @inheritdoc IVault
    function free(address strategy, uint256 assets)
        external
        nonReentrant
        onlyListed(strategy)
        returns (uint256 arrived)
    {
        if (!isOperator[msg.sender] && msg.sender != owner) revert NotOperator(msg.sender);
        return _free(strategy, Math.min(assets, book[strategy].debt));
    }

    /// @inheritdoc IVault
    function strategies() public view returns (address[] memory) {
        return list;
    }

    /// @inheritdoc IVault
    function isListed(address strategy) external view returns (bool) {
        return book[strategy].isListed;
    }

    /// @inheritdoc IVault
    function capOf(address strategy) public view virtual returns (uint256) {
        Strategy storage entry = book[strategy];
        return block.timestamp >= entry.capFrom ? entry.capNext : entry.cap;
    }

    /// @inheritdoc IVault
    function debtOf(address strategy) public view returns (uint256) {
        return book[strategy].debt;
    }

    /// @inheritdoc IVault
    function unrealisedLoss() public view returns (uint256) {
        (, uint256 loss) = _readAll();
        return loss;
    }

    /// @return values What each listed strategy is counted at, in their order.
    /// @return loss What all together lack of their debts.
    function _readAll() internal view returns (uint256[] memory values, uint256 loss) {
        values = new uint256[](list.length);
        for (uint256 i; i < values.length; ++i) {
            uint256 debt = book[list[i]].debt;
            values[i] = _valueOf(list[i], debt);
            loss += debt - values[i];
        }
    }

    /// @dev Below its debt a strategy is believed, above it is not.
    function _valueOf(address strategy, uint256 debt) internal view virtual returns (uint256) {
        return debt == 0 ? 0 : Math.min(_read(strategy), debt);
    }

    /// @return assets What the strategy says it has; 0 if it does not say.
    /// @dev Plainly `try IVaultStrategy(strategy).totalAssets{gas: READ_GAS}()`, except that an answer which is too short
    /// cannot revert here and one which is too long is not copied.
    function _read(address strategy) internal view virtual returns (uint256 assets) {
        if (gasleft() - gasleft() / 64 < READ_GAS + CALL_OVERHEAD_GAS) revert GasTooLow(gasleft());
        bytes memory data = abi.encodeCall(IVaultStrategy.totalAssets, ());
        assembly ("memory-safe") {
            let isDone := staticcall(READ_GAS, strategy, add(data, 32), mload(data), 0, 32)
            if and(isDone, gt(returndatasize(), 31)) { assets := mload(0) }
        }
    }

    /// @return arrived By how much the Vault's balance rose.
    /// @dev Plainly `try IVaultStrategy(strategy).withdraw{gas: PULL_GAS}(assets)`, except that no answer is copied.
    function _pull(address strategy, uint256 assets) internal returns (uint256 arrived) {
        uint256 idle = TOKEN.balanceOf(address(this));
        bytes memory data = abi.encodeCall(IVaultStrategy.withdraw, (assets));
        assembly ("memory-safe") {
            pop(call(PULL_GAS, strategy, 0, add(data, 32), mload(data), 0, 0))
        }
        return TOKEN.balanceOf(address(this)) - idle;
    }

    /// @dev What arrives beyond `assets` was not owed: it is a gain, and stays out of the debt.
    function _free(address strategy, uint256 assets) internal returns (uint256 arrived) {
        arrived = _pull(strategy, assets);
        _lowerDebt(strategy, Math.min(arrived, assets));
        emit Freed(strategy, arrived);
    }

    /// @notice Asks one strategy after the other until `assets` lie in the Vault.
    function _freeUntil(uint256 assets, uint256[] memory values) internal {
        uint256 idle = TOKEN.balanceOf(address(this));
        for (uint256 i; i < values.length && idle < assets; ++i) {
            uint256 asked = Math.min(assets - idle, values[i]);
            if (asked != 0) idle += _free(list[i], asked);
        }
        if (idle < assets) revert NotEnoughFreed(idle, assets);
    }

    /// @notice Gives up `share` of the `loss` that strategies show, from each in proportion.
    /// @return given Rounded down for each.
    function _giveUp(uint256 share, uint256 loss, uint256[] memory values) internal returns (uint256 given) {
        if (share == 0) return 0;
        for (uint256 i; i < values.length; ++i) {
            uint256 part = Math.mulDiv(share, book[list[i]].debt - values[i], loss);
            if (part == 0) continue;
            given += part;
            _lowerDebt(list[i], part);
            emit LossTaken(list[i], part);
        }
    }

    /// @return loss What was announced in time, or what is missing now if that is less. It is no longer owed.
    function _giveUpAnnounced(address strategy) internal returns (uint256 loss) {
        Strategy storage entry = book[strategy];
        if (entry.lossFrom == 0) revert LossNotAnnounced(strategy);
        if (block.timestamp < entry.lossFrom) revert NoticeRunning(entry.lossFrom);
        loss = Math.min(entry.lossAnnounced, entry.debt - _valueOf(strategy, entry.debt));
        (entry.lossAnnounced, entry.lossFrom) = (0, 0);
        _lowerDebt(strategy, loss);
        emit LossWrittenOff(strategy, loss);
    }

    function _enlist(address strategy) private {
        if (list.length == MAX_STRATEGIES) revert TooManyStrategies(MAX_STRATEGIES);
        if (IVaultStrategy(strategy).vault() != address(this)) revert NotOfThisVault(strategy);
        book[strategy].isListed = true;
        list.push(strategy);
    }

    function _lowerDebt(address strategy, uint256 assets) private {
        book[strategy].debt -= assets.toUint128();
        totalDebt -= assets;
    }
}
