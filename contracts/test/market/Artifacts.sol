// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {IExecutor} from "../../src/interfaces/IExecutor.sol";

/// @notice Deploys contracts from the bytecode that their own authors published.
abstract contract Artifacts is Test {
    string internal constant PACKAGES = "../node_modules/";

    function _deploy(string memory path, string memory key, bytes memory args) internal returns (address) {
        return _create(abi.encodePacked(vm.parseBytes(_hexAt(path, key)), args));
    }

    /// @dev The Executor as it is built, or another artifact where bugs are planted: the tests named for a bug must then fail.
    function _newExecutor(address owner, address wrappedNative) internal returns (IExecutor) {
        string memory artifact = vm.envOr("EXECUTOR_ARTIFACT", string("Executor.sol:Executor"));
        return IExecutor(vm.deployCode(artifact, abi.encode(owner, wrappedNative)));
    }

    function _create(bytes memory initCode) internal returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(initCode, 32), mload(initCode))
        }
        require(created != address(0), "deployment failed");
    }

    /// @dev The bytecode as hex; libraries are still to be linked.
    function _hexAt(string memory path, string memory key) internal view returns (string memory) {
        string memory code = vm.parseJsonString(vm.readFile(string.concat(PACKAGES, path)), key);
        bool isPrefixed = bytes(code)[1] == "x";
        return isPrefixed ? code : string.concat("0x", code);
    }
}
