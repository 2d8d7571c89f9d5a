// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice What a Vault has beside ERC-4626.
interface IVault {
    error OwnerIsZero();
    error NotOwner(address caller);
    error NotOperator(address caller);
    error FeeAboveMaximum(uint256 feeBps, uint256 feeBpsMax);
    error LockerPartAboveMaximum(uint256 lockerBps, uint256 lockerBpsMax);
    error Reentered(address caller);
    error NotListed(address strategy);
    error NotOfThisVault(address strategy);
    error TooManyStrategies(uint256 strategiesMax);
    error CapExceeded(address strategy, uint256 debt, uint256 cap);
    error StrategyInDebt(address strategy, uint256 debt);
    error NothingLost(address strategy);
    error LossNotAnnounced(address strategy);
    error NoticeRunning(uint256 until);
    error GasTooLow(uint256 gasLeft);
    error LossAboveMaximum(uint256 entryAssets, uint256 exitAssets, uint256 maxLossBps);
    error NotEnoughFreed(uint256 freed, uint256 assets);
    error AssetKeptSome(uint256 received, uint256 assets);
    error DepositBuysNothing(uint256 assets);

    event OperatorSet(address indexed operator, bool isOperator);
    event CapSet(address indexed strategy, uint256 cap, uint256 from);
    event Unlisted(address indexed strategy);
    event Allocated(address indexed strategy, uint256 assets);
    event Freed(address indexed strategy, uint256 assets);
    event Harvested(address indexed strategy, uint256 gain, uint256 ownerShares, uint256 lockerShares);
    event LossAnnounced(address indexed strategy, uint256 loss, uint256 from);
    event LossWrittenOff(address indexed strategy, uint256 loss);
    event LossTaken(address indexed strategy, uint256 loss);

    // The owner

    /// @notice Appoints or dismisses an operator.
    function setOperator(address operator, bool newIsOperator) external;

    /// @notice Sets how much may be put into a strategy, and lists it if it is new. Lowering holds at once; raising holds
    /// `NOTICE` later, and can be taken back until then by lowering.
    function setCap(address strategy, uint256 newCap) external;

    /// @notice Takes a strategy off the list. It must owe nothing.
    function unlist(address strategy) external;

    /// @notice Announces that what a strategy lacks now is to be written off. Until then it only lowers the price of leaving.
    function announceLoss(address strategy) external;

    /// @notice Writes off what was announced `NOTICE` ago, or what the strategy lacks now if that is less.
    function writeOff(address strategy) external;

    // Operators

    /// @notice Puts `assets` into a listed strategy, within its cap.
    function allocate(address strategy, uint256 assets) external;

    /// @notice Takes up to `assets` back from a listed strategy. The owner may too.
    /// @return arrived What has reached the Vault.
    function free(address strategy, uint256 assets) external returns (uint256 arrived);

    // Anybody

    /// @notice Fetches what a strategy has earned: what it says it has above what was put into it.
    /// @return gain What has reached the Vault, to be released over `RELEASE_PERIOD`, less the fee.
    function harvest(address strategy) external returns (uint256 gain);

    /// @notice `deposit`, or nothing if leaving at once would cost more than `maxLossBps` of what was put in.
    function deposit(uint256 assets, address receiver, uint256 maxLossBps) external returns (uint256 shares);

    /// @notice `withdraw`, or nothing if the holder's part of what strategies lack is above `maxLossBps`.
    function withdraw(uint256 assets, address receiver, address holder, uint256 maxLossBps)
        external
        returns (uint256 shares);

    /// @notice `redeem`, or nothing if the holder's part of what strategies lack is above `maxLossBps`.
    function redeem(uint256 shares, address receiver, address holder, uint256 maxLossBps)
        external
        returns (uint256 assets);

    // What there is to see

    function owner() external view returns (address);

    function isOperator(address account) external view returns (bool);

    /// @notice The listed strategies, in the order in which a withdrawal asks them.
    function strategies() external view returns (address[] memory);

    function isListed(address strategy) external view returns (bool);

    /// @notice What may be put into a strategy as of now.
    function capOf(address strategy) external view returns (uint256);

    /// @notice What was put into a strategy, less what came back and what was given up as lost.
    function debtOf(address strategy) external view returns (uint256);

    function totalDebt() external view returns (uint256);

    /// @notice When a cap was last announced to rise, in seconds; 0 if never.
    function announcedAt() external view returns (uint64);

    /// @notice Until when the last such notice runs.
    function noticeEnd() external view returns (uint64);

    /// @notice What shares are bought at: strategies at cost, profit as far as it is released.
    function entryAssets() external view returns (uint256);

    /// @notice What strategies lack of what was put into them, by their own word; all of it where they give none.
    function unrealisedLoss() external view returns (uint256);

    /// @notice Profit that has arrived and is not yet in the price of a share.
    function lockedProfit() external view returns (uint256);
}
