// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Artifacts} from "./Artifacts.sol";

interface IWeightedPoolFactory {
    function create(
        string calldata name,
        string calldata symbol,
        address[] calldata tokens,
        uint256[] calldata normalizedWeights,
        address[] calldata rateProviders,
        uint256 swapFeePercentage,
        address owner
    ) external returns (address);
}

interface IWeightedPool {
    function getPoolId() external view returns (bytes32);
}

interface IVault {
    struct JoinPoolRequest {
        address[] assets;
        uint256[] maxAmountsIn;
        bytes userData;
        bool fromInternalBalance;
    }

    function joinPool(bytes32 poolId, address sender, address recipient, JoinPoolRequest calldata request) external;
}

/// @notice Balancer v2 with its published bytecode: the Vault and weighted pools.
abstract contract BalancerMarket is Artifacts {
    using SafeERC20 for IERC20;

    string private constant TASKS = "@balancer-labs/v2-deployments/dist/tasks/";

    address internal vault;
    IWeightedPoolFactory private weightedPoolFactory;

    function _newVault() internal {
        address authorizer = _deployTask("20210418-authorizer/bytecode/Authorizer.json", abi.encode(address(this)));
        vault = _deployTask(
            "20210418-vault/bytecode/Vault.json", abi.encode(authorizer, address(0), uint256(90 days), uint256(30 days))
        );
        address fees = _deployTask(
            "20220725-protocol-fee-percentages-provider/bytecode/ProtocolFeePercentagesProvider.json",
            abi.encode(vault, uint256(1e18), uint256(1e18))
        );
        weightedPoolFactory = IWeightedPoolFactory(
            _deployTask("20220908-weighted-pool-v2/bytecode/WeightedPoolFactory.json", abi.encode(vault, fees))
        );
    }

    /// @dev Three tokens of equal weight.
    function _newWeightedPool(IERC20[3] memory tokens, uint256[3] memory amounts) internal returns (bytes32 poolId) {
        (address[] memory assets, uint256[] memory amountsIn) = _sorted(tokens, amounts);
        uint256[] memory weights = new uint256[](3);
        weights[0] = 0.333333333333333334e18;
        weights[1] = 0.333333333333333333e18;
        weights[2] = 0.333333333333333333e18;
        address pool =
            weightedPoolFactory.create("Pool", "POOL", assets, weights, new address[](3), 0.003e18, address(this));
        poolId = IWeightedPool(pool).getPoolId();
        for (uint256 i; i < 3; ++i) {
            tokens[i].forceApprove(vault, amounts[i]);
        }
        IVault(vault)
            .joinPool(
                poolId,
                address(this),
                address(this),
                IVault.JoinPoolRequest({
                assets: assets,
                maxAmountsIn: amountsIn,
                userData: abi.encode(uint256(0), amountsIn),
                fromInternalBalance: false
            })
            );
    }

    /// @dev The Vault wants tokens to ascend by address.
    function _sorted(IERC20[3] memory tokens, uint256[3] memory amounts)
        private
        pure
        returns (address[] memory assets, uint256[] memory amountsIn)
    {
        assets = new address[](3);
        amountsIn = new uint256[](3);
        for (uint256 i; i < 3; ++i) {
            uint256 rank;
            for (uint256 j; j < 3; ++j) {
                if (address(tokens[j]) < address(tokens[i])) ++rank;
            }
            (assets[rank], amountsIn[rank]) = (address(tokens[i]), amounts[i]);
        }
    }

    function _deployTask(string memory task, bytes memory args) private returns (address) {
        return _deploy(string.concat(TASKS, task), ".creationCode", args);
    }
}
