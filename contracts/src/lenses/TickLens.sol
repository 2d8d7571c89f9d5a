// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title TickLens
/// @notice Many initialised ticks of one pool in one `eth_call`, without a contract on the chain.
/// @dev Never deployed. A node runs this creation code in an `eth_call` that names no contract, with the arguments behind it,
/// and answers what the constructor returns as if that were the new contract's code: so it must fit EIP-170's 24,576 bytes
/// and must not begin with 0xEF. It only reads; what it is told by the pool it passes on, and anything that is no answer of
/// such a pool reverts, so that the reader asks call by call and names what is wrong.
///
///     offset  size  field
///          0     1  1, the version of this form
///          1     2  the first word of the bitmap that was not read any more, two's complement
///          3   35n  ticks in ascending order, each: tick 3 (two's complement), gross liquidity 16, net liquidity 16 (same)
///
/// Words are read while there is room for a full one and gas for the next: the reader goes on where this ended.
contract TickLens {
    uint256 private constant HEADER_LENGTH = 3;
    uint256 private constant ENTRY_LENGTH = 35;
    uint256 private constant LENGTH_MAX = 24_576 - 256 * ENTRY_LENGTH;
    /// @dev 256 ticks of four cold slots each, and a word.
    uint256 private constant GAS_PER_WORD_MAX = 4_000_000;
    /// @dev EIP-170's price of returned code, for what there may be at the end.
    uint256 private constant GAS_PER_BYTE = 200;
    /// @dev No honest answer costs more; a dishonest one cannot burn the rest.
    uint256 private constant GAS_PER_CALL = 500_000;
    bytes4 private constant TICK_BITMAP = bytes4(keccak256("tickBitmap(int16)"));
    bytes4 private constant TICKS = bytes4(keccak256("ticks(int24)"));

    error AnswerMalformed(bytes4 selector, int256 argument);

    constructor(address pool, int256 tickSpacing, int256 wordFirst, int256 wordLast) {
        uint256 start;
        assembly ("memory-safe") {
            start := mload(0x40)
        }
        uint256 end = start + HEADER_LENGTH;
        int256 word = wordFirst;
        for (; word <= wordLast && _isRoomLeft(end - start); ++word) {
            uint256 bits = _ask(pool, TICK_BITMAP, word, 1, end);
            for (int256 tick = word * 256 * tickSpacing; bits != 0; tick += tickSpacing) {
                if (bits & 1 == 1) end = _append(pool, tick, end);
                bits >>= 1;
            }
        }
        assembly ("memory-safe") {
            mstore8(start, 1)
            mstore8(add(start, 1), shr(8, word))
            mstore8(add(start, 2), word)
            return(start, sub(end, start))
        }
    }

    function _isRoomLeft(uint256 length) private view returns (bool) {
        uint256 gasToReturn = (length + 256 * ENTRY_LENGTH) * GAS_PER_BYTE;
        return length <= LENGTH_MAX && gasleft() > GAS_PER_WORD_MAX + gasToReturn;
    }

    function _append(address pool, int256 tick, uint256 end) private view returns (uint256) {
        uint256 gross = _ask(pool, TICKS, tick, 8, end);
        int256 net;
        assembly ("memory-safe") {
            net := mload(add(end, 0x20))
        }
        if (gross >> 128 != 0 || int128(net) != net) revert AnswerMalformed(TICKS, tick);
        assembly ("memory-safe") {
            mstore(end, or(shl(232, tick), shl(104, gross)))
            mstore(add(end, 19), shl(128, net))
        }
        return end + ENTRY_LENGTH;
    }

    /// @param words How many words the answer must have; they lie from `at` on.
    /// @return first The first of them.
    function _ask(address pool, bytes4 selector, int256 argument, uint256 words, uint256 at)
        private
        view
        returns (uint256 first)
    {
        bool isAnswered;
        assembly ("memory-safe") {
            mstore(at, selector)
            mstore(add(at, 4), argument)
            isAnswered := staticcall(GAS_PER_CALL, pool, at, 0x24, at, mul(words, 0x20))
            isAnswered := and(isAnswered, eq(returndatasize(), mul(words, 0x20)))
            first := mload(at)
        }
        if (!isAnswered) revert AnswerMalformed(selector, argument);
    }
}
