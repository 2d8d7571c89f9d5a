// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {SolidlyDevPair} from "./SolidlyDevPair.sol";

/// @title SolidlyDevFactory
/// @notice Makes pairs and keeps fee and pause, as the factories of Solidly's family do: nothing it changes is logged.
/// @dev For the local chain; anyone may change anything. See `SolidlyDevPair` for what it proves and what not.
contract SolidlyDevFactory {
    error NoSuchFunction();
    error IdenticalAddresses();

    /// @notice As the first factories announce a pair.
    event PairCreated(address indexed token0, address indexed token1, bool stable, address pair, uint256 count);
    /// @notice As the later ones do.
    event PoolCreated(address indexed token0, address indexed token1, bool indexed stable, address pool, uint256 count);

    /// @notice What the pair in the making is to be, which asks for it: so all pairs have the same creation code.
    struct Parameters {
        address token0;
        address token1;
        bool stable;
    }

    bool public immutable isLater;

    Parameters public parameters;
    address[] private pairs;
    mapping(address token0 => mapping(address token1 => mapping(bool stable => address))) private pairOf;

    bool public isPaused;
    uint256 private stableFeeBps = 5;
    uint256 private volatileFeeBps = 30;
    mapping(address pair => uint256 feeBps) private ownFeeBps;

    constructor(bool later) {
        isLater = later;
    }

    /// @dev A second pair of the same tokens and kind, which no real factory makes, is made too and announced: it has an
    /// address that the rule does not give.
    function createPair(address tokenA, address tokenB, bool stable) external returns (address) {
        if (tokenA == tokenB) revert IdenticalAddresses();
        (address token0, address token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        bool isTwin = pairOf[token0][token1][stable] != address(0);
        bytes32 salt = keccak256(abi.encodePacked(token0, token1, stable));
        if (isTwin) salt = keccak256(abi.encodePacked(salt, pairs.length));
        parameters = Parameters(token0, token1, stable);
        address pair = address(new SolidlyDevPair{salt: salt}());
        delete parameters;
        if (!isTwin) pairOf[token0][token1][stable] = pair;
        pairs.push(pair);
        if (isLater) emit PoolCreated(token0, token1, stable, pair, pairs.length);
        else emit PairCreated(token0, token1, stable, pair, pairs.length);
        return pair;
    }

    function getPair(address tokenA, address tokenB, bool stable) external view returns (address) {
        if (isLater) revert NoSuchFunction();
        return _pair(tokenA, tokenB, stable);
    }

    function getPool(address tokenA, address tokenB, bool stable) external view returns (address) {
        if (!isLater) revert NoSuchFunction();
        return _pair(tokenA, tokenB, stable);
    }

    function allPairsLength() external view returns (uint256) {
        if (isLater) revert NoSuchFunction();
        return pairs.length;
    }

    function allPoolsLength() external view returns (uint256) {
        if (!isLater) revert NoSuchFunction();
        return pairs.length;
    }

    function setFee(bool stable, uint256 feeBps) external {
        if (stable) stableFeeBps = feeBps;
        else volatileFeeBps = feeBps;
    }

    function setCustomFee(address pair, uint256 feeBps) external {
        ownFeeBps[pair] = feeBps;
    }

    function setPaused(bool paused) external {
        isPaused = paused;
    }

    /// @notice What the first factories answer.
    function getFee(bool stable) external view returns (uint256) {
        if (isLater) revert NoSuchFunction();
        return _feeOfKind(stable);
    }

    /// @notice What the later factories answer.
    function getFee(address pair, bool stable) external view returns (uint256) {
        if (!isLater) revert NoSuchFunction();
        return ownFeeBps[pair] == 0 ? _feeOfKind(stable) : ownFeeBps[pair];
    }

    function _pair(address tokenA, address tokenB, bool stable) private view returns (address) {
        return tokenA < tokenB ? pairOf[tokenA][tokenB][stable] : pairOf[tokenB][tokenA][stable];
    }

    function _feeOfKind(bool stable) private view returns (uint256) {
        return stable ? stableFeeBps : volatileFeeBps;
    }
}
