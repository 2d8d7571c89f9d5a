// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

enum Mischief {
    None,
    TakesFee,
    ShowsMore,
    ShowsLess,
    MovesNothing,
    AnswersFalse,
    Reenters
}

/// @notice A token of the thief's own, off the list, with a balance for everybody: it does one kind of mischief.
contract EvilToken {
    mapping(address => uint256) private balances;
    mapping(address => mapping(address => uint256)) public allowance;

    address private immutable target;
    Mischief private mischief;
    uint256 private moves;
    bytes private reentry;
    uint256 public breaches;

    constructor(address newTarget) {
        target = newTarget;
    }

    function arm(Mischief newMischief, bytes calldata newReentry) external {
        (mischief, reentry, moves) = (newMischief, newReentry, 0);
    }

    function mint(address to, uint256 amount) external {
        balances[to] += amount;
    }

    function balanceOf(address account) external view returns (uint256 shown) {
        shown = balances[account];
        if (account != target) return shown;
        if (mischief == Mischief.ShowsMore) shown += moves * 1e18;
        if (mischief == Mischief.ShowsLess) shown -= shown / (2 + moves);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _reenter();
        allowance[msg.sender][spender] = amount;
        return mischief != Mischief.AnswersFalse;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (mischief != Mischief.MovesNothing) allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        _reenter();
        ++moves;
        if (mischief == Mischief.MovesNothing) return true;
        balances[from] -= amount;
        balances[to] += mischief == Mischief.TakesFee ? amount * 9 / 10 : amount;
        return mischief != Mischief.AnswersFalse;
    }

    function _reenter() private {
        if (mischief != Mischief.Reenters) return;
        (bool isDone,) = target.call(reentry);
        if (isDone) ++breaches;
    }
}
