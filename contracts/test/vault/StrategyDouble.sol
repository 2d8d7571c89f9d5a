// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVaultStrategy} from "../../src/interfaces/IVaultStrategy.sol";

/// @notice How a strategy answers when it is asked or told something.
enum Manner {
    Honest,
    Lying,
    Reverting,
    BurningGas,
    AnsweringTooShort,
    AnsweringTooLong,
    PoorWithLittleGas
}

/// @notice A strategy that holds its money itself, and does what a test or a thief tells it.
contract StrategyDouble is IVaultStrategy {
    error Refused();

    address public immutable vault;
    IERC20 public immutable token;

    Manner public reads;
    Manner public pays;
    uint256 public said;
    uint256 public paysAtMost = type(uint256).max;
    uint256 public paysBeside;
    uint256 public told;

    address private target;
    bytes private message;

    constructor(address ofVault, IERC20 ofToken) {
        vault = ofVault;
        token = ofToken;
    }

    function answer(Manner manner, uint256 assets) external {
        (reads, said) = (manner, assets);
    }

    function pay(Manner manner, uint256 atMost, uint256 beside) external {
        (pays, paysAtMost, paysBeside) = (manner, atMost, beside);
    }

    /// @notice Makes a call the next time it is asked to pay.
    function whenAsked(address to, bytes calldata data) external {
        (target, message) = (to, data);
    }

    function lose(address to, uint256 assets) external {
        token.transfer(to, assets);
    }

    function deposit(uint256 assets) external {
        told += assets;
    }

    function totalAssets() external view returns (uint256) {
        _behave(reads);
        if (reads == Manner.PoorWithLittleGas && gasleft() < 190_000) return 0;
        return reads == Manner.Lying ? said : token.balanceOf(address(this));
    }

    function withdraw(uint256 assets) external {
        if (target != address(0)) {
            (bool isDone, bytes memory reason) = target.call(message);
            target = address(0);
            if (!isDone) _revertWith(reason);
        }
        _behave(pays);
        uint256 here = token.balanceOf(address(this));
        uint256 amount = assets < here ? assets : here;
        amount = amount < paysAtMost ? amount : paysAtMost;
        token.transfer(msg.sender, amount + paysBeside);
    }

    function _behave(Manner manner) private view {
        if (manner == Manner.Reverting) revert Refused();
        if (manner == Manner.BurningGas) {
            uint256 sum;
            while (true) sum += gasleft();
        }
        if (manner == Manner.AnsweringTooShort) {
            assembly ("memory-safe") {
                return(0, 31)
            }
        }
        if (manner == Manner.AnsweringTooLong) {
            assembly {
                mstore(0, 7)
                return(0, 100000)
            }
        }
    }

    function _revertWith(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
