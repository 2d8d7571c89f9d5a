// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Artifacts} from "./Artifacts.sol";

interface IPoolAddressesProvider {
    function setACLAdmin(address admin) external;
    function setACLManager(address manager) external;
    function setPoolImpl(address implementation) external;
    function setPoolConfiguratorImpl(address implementation) external;
    function getPool() external view returns (address);
    function getPoolConfigurator() external view returns (address);
}

interface IACLManager {
    function addPoolAdmin(address admin) external;
    function addAssetListingAdmin(address admin) external;
}

interface IInitializable {
    function initialize(address provider) external;
}

interface IPoolConfigurator {
    struct InitReserveInput {
        address aTokenImpl;
        address stableDebtTokenImpl;
        address variableDebtTokenImpl;
        uint8 underlyingAssetDecimals;
        address interestRateStrategyAddress;
        address underlyingAsset;
        address treasury;
        address incentivesController;
        string aTokenName;
        string aTokenSymbol;
        string variableDebtTokenName;
        string variableDebtTokenSymbol;
        string stableDebtTokenName;
        string stableDebtTokenSymbol;
        bytes params;
    }

    function initReserves(InitReserveInput[] calldata input) external;
    function setReserveFlashLoaning(address asset, bool isEnabled) external;
    function updateFlashloanPremiumTotal(uint128 premiumBps) external;
}

interface IAavePool {
    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
}

/// @notice Aave v3 with its published bytecode: one reserve, of which flash loans can be had for 5 bps.
abstract contract AaveMarket is Artifacts {
    using SafeERC20 for IERC20;

    string private constant CONTRACTS = "@aave/core-v3/artifacts/contracts/";
    string private constant LOGIC = "contracts/protocol/libraries/logic/";
    uint128 private constant PREMIUM_BPS = 5;

    mapping(string => address) private libraries;
    address internal aavePool;

    function _newAave(IERC20 token, uint256 amount) internal {
        _deployLibraries();
        bytes memory constructorArgs = abi.encode("Market", address(this));
        IPoolAddressesProvider provider = IPoolAddressesProvider(
            _deployAave("protocol/configuration/PoolAddressesProvider", "PoolAddressesProvider", constructorArgs)
        );
        _newRoles(provider);

        provider.setPoolImpl(_newImplementation("Pool", provider, abi.encode(provider)));
        provider.setPoolConfiguratorImpl(_newImplementation("PoolConfigurator", provider, ""));
        aavePool = provider.getPool();
        _newReserve(IPoolConfigurator(provider.getPoolConfigurator()), provider, token);

        token.forceApprove(aavePool, amount);
        IAavePool(aavePool).supply(address(token), amount, address(this), 0);
    }

    function _newRoles(IPoolAddressesProvider provider) private {
        provider.setACLAdmin(address(this));
        IACLManager roles =
            IACLManager(_deployAave("protocol/configuration/ACLManager", "ACLManager", abi.encode(provider)));
        provider.setACLManager(address(roles));
        roles.addPoolAdmin(address(this));
        roles.addAssetListingAdmin(address(this));
    }

    function _newImplementation(string memory name, IPoolAddressesProvider provider, bytes memory args)
        private
        returns (address implementation)
    {
        implementation = _deployAave(string.concat("protocol/pool/", name), name, args);
        IInitializable(implementation).initialize(address(provider));
    }

    function _newReserve(IPoolConfigurator configurator, IPoolAddressesProvider provider, IERC20 token) private {
        IPoolConfigurator.InitReserveInput[] memory input = new IPoolConfigurator.InitReserveInput[](1);
        input[0].aTokenImpl = _newTokenization("AToken");
        input[0].stableDebtTokenImpl = _newTokenization("StableDebtToken");
        input[0].variableDebtTokenImpl = _newTokenization("VariableDebtToken");
        input[0].underlyingAssetDecimals = 18;
        input[0].interestRateStrategyAddress = _newInterestRates(provider);
        input[0].underlyingAsset = address(token);
        input[0].treasury = address(this);
        configurator.initReserves(input);
        configurator.setReserveFlashLoaning(address(token), true);
        configurator.updateFlashloanPremiumTotal(PREMIUM_BPS);
    }

    function _newTokenization(string memory name) private returns (address) {
        return _deployAave(string.concat("protocol/tokenization/", name), name, abi.encode(aavePool));
    }

    function _newInterestRates(IPoolAddressesProvider provider) private returns (address) {
        uint256[9] memory rates = [uint256(0.8e27), 0, 0.04e27, 0.75e27, 0.005e27, 0.75e27, 0.01e27, 0.08e27, 0.2e27];
        string memory name = "DefaultReserveInterestRateStrategy";
        return _deployAave(string.concat("protocol/pool/", name), name, abi.encode(provider, rates));
    }

    function _deployLibraries() private {
        string[8] memory names = _libraryNames();
        for (uint256 i; i < names.length; ++i) {
            string memory path = string.concat("protocol/libraries/logic/", names[i]);
            libraries[names[i]] = _deployAave(path, names[i], "");
        }
    }

    /// @dev FlashLoanLogic is linked to BorrowLogic, so it comes after.
    function _libraryNames() private pure returns (string[8] memory) {
        return [
            "SupplyLogic",
            "BorrowLogic",
            "LiquidationLogic",
            "EModeLogic",
            "BridgeLogic",
            "ConfiguratorLogic",
            "PoolLogic",
            "FlashLoanLogic"
        ];
    }

    function _deployAave(string memory path, string memory name, bytes memory args) private returns (address) {
        string memory file = string.concat(CONTRACTS, path, ".sol/", name, ".json");
        string memory code = _link(_hexAt(file, ".bytecode"));
        return _create(abi.encodePacked(vm.parseBytes(code), args));
    }

    /// @dev The compiler left `__$` + 34 digits of the hash of the library's full name + `$__`.
    function _link(string memory code) private view returns (string memory) {
        string[8] memory names = _libraryNames();
        for (uint256 i; i < names.length; ++i) {
            address deployed = libraries[names[i]];
            if (deployed == address(0)) continue;
            string memory hash = vm.toString(keccak256(bytes(string.concat(LOGIC, names[i], ".sol:", names[i]))));
            string memory placeholder = string.concat("__$", _slice(hash, 2, 36), "$__");
            code = vm.replace(code, placeholder, _slice(vm.toString(deployed), 2, 42));
        }
        return code;
    }

    function _slice(string memory text, uint256 start, uint256 end) private pure returns (string memory) {
        bytes memory slice = new bytes(end - start);
        for (uint256 i; i < slice.length; ++i) {
            slice[i] = bytes(text)[start + i];
        }
        return string(slice);
    }
}
