// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A venue or lender that does whatever a test wrote down: called with a selector, it makes the calls listed for
/// it, passes on their reverts, and answers with fixed bytes.
contract Puppet {
    struct Call {
        address target;
        bytes data;
    }

    mapping(bytes4 => Call[]) private calls;
    mapping(bytes4 => bytes) private answers;

    function onCall(bytes4 selector, address target, bytes calldata data) external {
        calls[selector].push(Call(target, data));
    }

    function answer(bytes4 selector, bytes calldata data) external {
        answers[selector] = data;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        Call[] storage list = calls[msg.sig];
        for (uint256 i; i < list.length; ++i) {
            (bool isDone, bytes memory reason) = list[i].target.call(list[i].data);
            if (isDone) continue;
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
        return answers[msg.sig];
    }
}
