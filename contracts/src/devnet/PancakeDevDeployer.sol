// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title PancakeDevDeployer
/// @notice Stands in for PancakeSwap v3's pool deployer, whose bytecode is in no package: the factory asks it for a pool,
/// the pool asks it for its parameters. The addresses that it gives follow the published rule, CREATE2 with the salt
/// keccak256(abi.encode(token0, token1, fee)).
/// @dev For the local chain; factory and pools are PancakeSwap's own, so of those it proves what they do, of the deployer
/// nothing.
contract PancakeDevDeployer {
    error NotCreated();

    struct Parameters {
        address factory;
        address token0;
        address token1;
        uint24 fee;
        int24 tickSpacing;
    }

    Parameters public parameters;
    address private immutable CREATION_CODE_AT;

    /// @param creationCodeAt An account whose code is the pool's creation code: storage for it would cost a block's gas.
    constructor(address creationCodeAt) {
        CREATION_CODE_AT = creationCodeAt;
    }

    function deploy(address factory, address token0, address token1, uint24 fee, int24 tickSpacing)
        external
        returns (address pool)
    {
        parameters = Parameters(factory, token0, token1, fee, tickSpacing);
        bytes memory code = CREATION_CODE_AT.code;
        bytes32 salt = keccak256(abi.encode(token0, token1, fee));
        assembly ("memory-safe") {
            pool := create2(0, add(code, 0x20), mload(code), salt)
        }
        if (pool == address(0)) revert NotCreated();
        delete parameters;
    }
}
