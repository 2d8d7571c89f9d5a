// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A price feed with Chainlink's AggregatorV3Interface, for the local chain: its owner says what the price is.
contract PriceFeed {
    error NotOwner(address caller);
    error RoundUnknown(uint256 roundId);

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    uint256 public constant version = 4;

    address public immutable owner;
    uint8 public immutable decimals;
    string public description;

    uint80 private latestRoundId;
    mapping(uint256 => Round) private rounds;

    constructor(uint8 answerDecimals, string memory feedDescription, int256 answer) {
        owner = msg.sender;
        decimals = answerDecimals;
        description = feedDescription;
        _push(answer);
    }

    /// @notice Starts a new round with `answer`. Only the owner can.
    function set(int256 answer) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _push(answer);
    }

    function latestAnswer() external view returns (int256) {
        return rounds[latestRoundId].answer;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRoundId);
    }

    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round memory round = rounds[id];
        if (round.updatedAt == 0) revert RoundUnknown(id);
        return (id, round.answer, round.updatedAt, round.updatedAt, id);
    }

    function _push(int256 answer) private {
        uint80 id = ++latestRoundId;
        rounds[id] = Round({answer: answer, updatedAt: block.timestamp});
        emit AnswerUpdated(answer, id, block.timestamp);
    }
}
