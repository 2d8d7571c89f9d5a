// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {StepKind} from "../../src/libraries/Step.sol";
import {NativeMarket} from "../market/NativeMarket.sol";
import {EvilToken} from "./EvilToken.sol";
import {Villain} from "./Villain.sol";

/// @notice Sees what an Executor holds, grants and is governed by, and says whether that is as it must be.
abstract contract Witness is NativeMarket {
    address internal constant GUARDIAN = address(0x6A4);
    address internal constant TREASURY = address(0x7EA);
    address internal constant OPERATOR = address(0x0E4);
    address internal constant FIRED = address(0xF14E);
    address internal constant BUILDER = address(0xB1D);
    uint16 internal constant CAP_BPS = 3000;
    uint256 internal constant VILLAINS = 5;

    /// @dev Of a (with native coin), b and c.
    struct Holdings {
        uint256[3] held;
        uint256[3] swept;
    }

    Villain[VILLAINS] internal villains;
    EvilToken internal evil;
    bytes32 private governedBy;

    function _see() internal view returns (Holdings memory seen) {
        IERC20[3] memory tokens = [a, b, c];
        for (uint256 i; i < 3; ++i) {
            seen.held[i] = _held(tokens[i]);
            seen.swept[i] = tokens[i].balanceOf(TREASURY);
        }
    }

    /// @dev (1): no asset is less than before, but for what the treasury has received since.
    function _assertNothingLost(Holdings memory before) internal view {
        Holdings memory now_ = _see();
        for (uint256 i; i < 3; ++i) {
            assertGe(now_.held[i] + now_.swept[i], before.held[i] + before.swept[i], "an asset fell");
        }
    }

    /// @dev (2): of any token, to anybody who was ever granted one. Villains first: they are granted most.
    function _assertNothingGranted() internal view {
        address[10] memory spenders;
        for (uint256 i; i < VILLAINS; ++i) {
            spenders[i] = address(villains[i]);
        }
        (spenders[5], spenders[6], spenders[7]) = (vault, aavePool, address(vaultV3));
        (spenders[8], spenders[9]) = (_venue(StepKind.Curve, a, b), _venue(StepKind.Curve, b, a));
        IERC20[4] memory tokens = [a, b, c, IERC20(address(evil))];
        for (uint256 i; i < tokens.length; ++i) {
            for (uint256 j; j < spenders.length; ++j) {
                assertEq(tokens[i].allowance(address(executor), spenders[j]), 0, "an allowance is left");
            }
        }
    }

    /// @dev (3): roles, lists, pause, cap and code.
    function _assertGovernedAlike() internal view {
        assertEq(_governance(), governedBy, "roles, lists, pause or code have changed");
    }

    /// @dev After the owner or the guardian acted.
    function _noteGovernance() internal {
        governedBy = _governance();
    }

    function _assertNoBreach() internal view {
        for (uint256 i; i < VILLAINS; ++i) {
            assertEq(villains[i].breaches(), 0, "a villain was let in");
        }
        assertEq(evil.breaches(), 0, "a token was let in");
    }

    function _governance() private view returns (bytes32 digest) {
        digest = keccak256(
            abi.encode(
                executor.owner(),
                executor.guardian(),
                executor.treasury(),
                executor.isPaused(),
                executor.tipShareMaxBps(),
                address(executor).codehash
            )
        );
        digest = keccak256(
            abi.encode(
                digest,
                executor.isListed(a),
                executor.isListed(b),
                executor.isListed(c),
                executor.isListed(IERC20(address(evil))),
                executor.isOperator(OPERATOR),
                executor.isOperator(FIRED),
                executor.isOperator(address(this)),
                executor.isOperator(address(villains[0]))
            )
        );
    }
}
