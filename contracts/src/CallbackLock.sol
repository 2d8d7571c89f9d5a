// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title CallbackLock
/// @notice Accepts a callback once, from the expected caller, to the expected function, with the expected data.
/// @dev The lock lives in transient storage. It is set right before the external call that will call back, cleared on
/// entry of the callback, and must be clear when the external call returns. Checking an argument such as `sender` would
/// not do: pools and lenders pass on whatever anybody told them.
abstract contract CallbackLock {
    error CallbackNotExpected(address caller);
    error CallbackMissing(address expected);

    bytes32 private transient lock;

    function _expectCallback(address caller, bytes4 selector, bytes32 dataHash) internal {
        lock = _lockOf(caller, selector, dataHash);
    }

    function _acceptCallback(bytes calldata data) internal {
        _acceptCallbackAs(msg.sig, data);
    }

    /// @param selector Of the function that was expected, where a fork calls the same function by another name.
    function _acceptCallbackAs(bytes4 selector, bytes calldata data) internal {
        if (lock != _lockOf(msg.sender, selector, keccak256(data))) revert CallbackNotExpected(msg.sender);
        lock = 0;
    }

    function _requireCalledBack(address caller) internal view {
        if (lock != 0) revert CallbackMissing(caller);
    }

    function _lockOf(address caller, bytes4 selector, bytes32 dataHash) private pure returns (bytes32) {
        return keccak256(abi.encode(caller, selector, dataHash));
    }
}
