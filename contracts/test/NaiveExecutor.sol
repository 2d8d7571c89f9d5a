// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface IRouter {
    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);
}

/// @notice What one writes first: an owner, and a router for each hop. It is what the Executor's gas is compared with.
contract NaiveExecutor {
    error NotOwner();
    error ProfitTooLow(uint256 heldAfter, uint256 heldBefore);

    address private immutable owner = msg.sender;

    function execute(IRouter[] calldata routers, IERC20[] calldata tokens, uint256 amountIn, uint256 profitMin)
        external
    {
        if (msg.sender != owner) revert NotOwner();
        uint256 heldBefore = tokens[0].balanceOf(address(this));
        uint256 amount = amountIn;
        for (uint256 i; i < routers.length; ++i) {
            address[] memory path = new address[](2);
            (path[0], path[1]) = (address(tokens[i]), address(tokens[(i + 1) % tokens.length]));
            tokens[i].approve(address(routers[i]), amount);
            amount = routers[i].swapExactTokensForTokens(amount, 0, path, address(this), block.timestamp)[1];
        }
        uint256 heldAfter = tokens[0].balanceOf(address(this));
        if (heldAfter < heldBefore + profitMin) revert ProfitTooLow(heldAfter, heldBefore);
    }
}
