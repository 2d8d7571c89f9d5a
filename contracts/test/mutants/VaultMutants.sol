// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVaultStrategy} from "../../src/interfaces/IVaultStrategy.sol";
import {Vault} from "../../src/Vault.sol";

/// @notice Bugs planted in the Vault, one each, which the tests must find.
abstract contract VaultMutant is Vault {
    constructor(IERC20 token, address owner, uint256 feeBps, uint256 lockerBps)
        Vault(token, "Mutant", "vTKN", owner, feeBps, lockerBps)
    {}
}

contract WithoutVirtualShares is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _decimalsOffset() internal pure override returns (uint8) {
        return 0;
    }
}

contract ProfitNotLocked is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _releasePeriod() internal pure override returns (uint256) {
        return 0;
    }
}

contract RoundingUpShares is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _toShares(uint256 assets, uint256 total, Math.Rounding) internal view override returns (uint256) {
        return super._toShares(assets, total, Math.Rounding.Ceil) + 1;
    }
}

contract RoundingDownShares is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _toShares(uint256 assets, uint256 total, Math.Rounding) internal view override returns (uint256) {
        return super._toShares(assets, total, Math.Rounding.Floor);
    }
}

contract RoundingUpAssets is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _toAssets(uint256 shares, uint256 total, Math.Rounding) internal view override returns (uint256) {
        return super._toAssets(shares, total, Math.Rounding.Ceil);
    }
}

contract RoundingDownAssets is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _toAssets(uint256 shares, uint256 total, Math.Rounding) internal view override returns (uint256) {
        return super._toAssets(shares, total, Math.Rounding.Floor);
    }
}

contract LossNotTakenAlong is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _value() internal view override returns (Valuation memory value) {
        value = super._value();
        value.exit = value.entry;
    }
}

contract LossNotGivenUp is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _lossShareOf(uint256, Valuation memory) internal pure override returns (uint256) {
        return 0;
    }
}

contract OnePrice is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function entryAssets() public view override returns (uint256) {
        return super.entryAssets() - unrealisedLoss();
    }
}

contract BoastsBelieved is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _valueOf(address strategy, uint256) internal view override returns (uint256) {
        return _read(strategy);
    }
}

contract FeeAboveTheCap is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _feeOn(uint256 gain) internal override returns (uint256) {
        return super._feeOn(gain) * 3;
    }
}

contract FeeInspiteOfLosses is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _feeOn(uint256 gain) internal view override returns (uint256) {
        return gain * feeBps / BPS;
    }
}

contract GasNotAskedFor is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _read(address strategy) internal view override returns (uint256) {
        try IVaultStrategy(strategy).totalAssets{gas: READ_GAS}() returns (uint256 assets) {
            return assets;
        } catch {
            return 0;
        }
    }
}

contract MaximumLossIgnored is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function _requireLossAtMost(uint256, Valuation memory) internal pure override {}
}

contract CapWithoutNotice is VaultMutant {
    constructor(IERC20 t, address o, uint256 f, uint256 l) VaultMutant(t, o, f, l) {}

    function capOf(address) public pure override returns (uint256) {
        return type(uint128).max;
    }
}
