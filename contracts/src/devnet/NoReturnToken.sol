// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice A token whose functions return nothing, and whose allowances must pass through zero.
contract NoReturnToken {
    error BalanceInsufficient(uint256 balance, uint256 amount);
    error AllowanceNotZero(uint256 allowance);

    uint8 public constant decimals = 18;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function approve(address spender, uint256 amount) external {
        uint256 allowed = allowance[msg.sender][spender];
        if (allowed != 0 && amount != 0) revert AllowanceNotZero(allowed);
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (balanceOf[from] < amount) revert BalanceInsufficient(balanceOf[from], amount);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
