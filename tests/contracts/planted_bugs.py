"""Bugs that somebody could make in the Executor, as changes of its text, each with the test that must catch it.

A change names the text that it replaces, which must stand in the file exactly once: where the contract has moved on,
the bug has to be planted anew.
"""

import msgspec

_ROLES = "src/Roles.sol"
_GUARD = "src/BalanceGuard.sol"
_EXECUTOR = "src/Executor.sol"
_LOCK = "src/CallbackLock.sol"
_WALKER = "src/StepWalker.sol"
_V3 = "src/steps/UniswapV3Step.sol"
_LOCK_OF = "abi.encode(caller, selector, dataHash)"


class Change(msgspec.Struct, frozen=True):
    file: str
    old: str
    new: str


class Bug(msgspec.Struct, frozen=True):
    """`test` is the name of the contract test that fails on it; `is_theft` says whether the malicious operator finds it
    too. It does not where a bug breaks a promise and no part of the property, or opens a door that it tries
    once in a thousand calls."""

    name: str
    changes: tuple[Change, ...]
    test: str
    is_theft: bool = False


def _bug(name: str, test: str, *changes: tuple[str, str, str], is_theft: bool = False) -> Bug:
    return Bug(name, tuple(Change(*change) for change in changes), test, is_theft)


PLANTED = (
    _bug(
        "nothing_asks_whether_a_token_was_kept",
        "test_native_coin_wrapped_in_place_of_an_output_is_missed_at_the_end",
        (_GUARD, "if (heldAfter < heldBefore) revert BalanceFell(address(token), heldBefore, heldAfter);", ""),
        is_theft=True,
    ),
    _bug(
        "a_loss_of_the_first_token_is_no_loss",
        "test_a_loss_reverts_whatever_the_funding",
        (_GUARD, "if (heldAfter < heldBefore + gainMin) {", "if (heldAfter < gainMin) {"),
        (_GUARD, "return heldAfter - heldBefore;", "unchecked { return heldAfter - heldBefore; }"),
        is_theft=True,
    ),
    _bug(
        "a_token_on_the_way_is_not_counted",
        "test_native_coin_wrapped_in_place_of_an_output_is_missed_at_the_end",
        (_WALKER, "= _guard(step.tokenOut);", "= step.tokenOut.balanceOf(address(this));"),
        (_GUARD, "if (!_isGuarded(token)) revert TokenNotGuarded(address(token));", ""),
        is_theft=True,
    ),
    _bug(
        "a_token_is_counted_again_on_the_way",
        "test_native_coin_wrapped_in_place_of_an_output_is_missed_at_the_end",
        (_GUARD, "if (slot.tload() == 0) slot.tstore(", "slot.tstore("),
        is_theft=True,
    ),
    _bug(
        "one_guard_for_a_whole_batch",
        "test_a_loss_is_not_hidden_by_the_gain_of_another_plan",
        (_GUARD, "        slot.tstore(0);\n", ""),
        is_theft=True,
    ),
    _bug(
        "no_guard_for_the_plans_of_a_batch",
        "test_a_loss_is_not_hidden_by_the_gain_of_another_plan",
        (
            _EXECUTOR,
            "        profit = _requireGain(",
            "        if (msg.sender == address(this)) return 0;\n        profit = _requireGain(",
        ),
        is_theft=True,
    ),
    _bug(
        "native_coin_is_not_counted",
        "test_a_tip_comes_from_native_coin_first_and_is_no_larger_for_it",
        (_GUARD, "? balance + address(this).balance : balance", "? balance : balance"),
        is_theft=True,
    ),
    _bug(
        "an_allowance_may_be_left",
        "test_a_vault_that_leaves_its_allowance_reverts",
        (_GUARD, "if (allowance != 0) revert AllowanceLeft(address(token), spender, allowance);", "allowance;"),
        is_theft=True,
    ),
    _bug(
        "a_callback_is_taken_more_than_once",
        "test_a_second_call_is_refused",
        (_LOCK, "        lock = 0;\n", ""),
        (
            _LOCK,
            "(address caller) internal view {\n        if (lock != 0) revert CallbackMissing(caller);",
            "(address) internal {\n        lock = 0;",
        ),
        is_theft=True,
    ),
    _bug(
        "a_callback_that_never_came_is_not_missed",
        "test_a_pool_that_does_not_call_back_is_refused",
        (_LOCK, "if (lock != 0) revert CallbackMissing(caller);", "caller;"),
    ),
    _bug(
        "a_callback_is_taken_from_anybody",
        "test_a_stranger_with_the_right_data_at_the_right_time_is_refused",
        (_LOCK, _LOCK_OF, "abi.encode(selector, dataHash)"),
        is_theft=True,
    ),
    _bug(
        "a_callback_is_taken_with_any_data",
        "test_the_right_pool_with_other_data_is_refused",
        (_LOCK, _LOCK_OF, "abi.encode(caller, selector)"),
    ),
    _bug(
        "a_callback_is_taken_by_any_name",
        "test_the_right_pool_in_another_callback_is_refused",
        (_LOCK, _LOCK_OF, "abi.encode(caller, dataHash)"),
    ),
    _bug(
        "a_pool_is_paid_whatever_it_asks_for",
        "test_a_pool_is_paid_what_was_planned_and_no_more",
        (
            _V3,
            "_requireConsumed(amount0Delta, amount1Delta, amountIn);\n        _pay(",
            "amountIn = uint256(amount0Delta > 0 ? amount0Delta : amount1Delta);\n        _pay(",
        ),
    ),
    _bug(
        "the_pause_stops_nobody",
        "test_a_paused_operator_does_nothing",
        (_ROLES, "        if (current.isPaused) revert IsPaused();\n", ""),
        is_theft=True,
    ),
    _bug(
        "the_guardian_unpauses",
        "test_the_guardian_pauses_and_the_owner_alone_unpauses",
        (_ROLES, "function unpause() external onlyOwner {", "function unpause() external {"),
        is_theft=True,
    ),
    _bug(
        "an_operator_may_keep_its_second_place",
        "test_an_operator_appointed_twice_is_dismissed_by_one_order",
        (
            _ROLES,
            "isFurtherOperator[operator] = newIsOperator && !isFirst;",
            "if (!isFirst && (newIsOperator || !wasFirst)) isFurtherOperator[operator] = newIsOperator;",
        ),
        (
            _ROLES,
            "        if (gate.operator == operator) gate",
            "        bool wasFirst = gate.operator == operator;\n        if (gate.operator == operator) gate",
        ),
    ),
    _bug(
        "anybody_executes_batches",
        "testFuzz_only_operators_execute_batches",
        (_EXECUTOR, "returns (uint256 executed) {\n        _authorise();", "returns (uint256 executed) {"),
        is_theft=True,
    ),
    _bug(
        "anybody_executes_plans_of_batches",
        "testFuzz_a_plan_of_a_batch_is_taken_from_itself_alone",
        (_EXECUTOR, "        if (msg.sender != address(this)) revert NotItself(msg.sender);\n", ""),
        is_theft=True,
    ),
    _bug(
        "anybody_sweeps",
        "testFuzz_nobody_else_sweeps",
        (_EXECUTOR, "external alone {\n        _authorise();", "external alone {"),
        is_theft=True,
    ),
    _bug(
        "an_operator_sweeps_to_itself",
        "test_an_operator_sweeps_to_the_treasury_alone",
        (_EXECUTOR, "token.safeTransfer(treasury, amount);", "token.safeTransfer(msg.sender, amount);"),
        is_theft=True,
    ),
    _bug(
        "anybody_withdraws",
        "testFuzz_nobody_but_the_owner_changes_anything",
        (_EXECUTOR, "uint256 amount) external onlyOwner {", "uint256 amount) external {"),
        is_theft=True,
    ),
    _bug(
        "a_plan_is_executed_within_a_plan",
        "test_a_plan_can_not_be_executed_within_a_plan",
        (_EXECUTOR, "        executing = true;\n", ""),
        is_theft=True,
    ),
    _bug(
        "profit_is_counted_in_any_token",
        "test_profit_is_counted_in_a_listed_token_alone",
        (_EXECUTOR, "        _requireListed(header.token);\n", ""),
    ),
    _bug(
        "the_minimum_is_met_before_the_tip",
        "test_the_minimum_is_met_after_the_tip",
        (
            _EXECUTOR,
            "        if (header.tipShareBps != 0)",
            "        if (_gainSoFar(header.token) < header.profitMin) revert();\n        if (header.tipShareBps != 0)",
        ),
        (_EXECUTOR, "_requireGain(header.token, header.profitMin)", "_requireGain(header.token, 0)"),
    ),
    _bug(
        "a_tip_may_be_above_the_cap",
        "test_a_tip_above_the_cap_is_refused",
        (
            _EXECUTOR,
            "if (header.tipShareBps > tipShareMaxBps_) revert TipShareTooLarge(header.tipShareBps, tipShareMaxBps_);",
            "tipShareMaxBps_;",
        ),
        is_theft=True,
    ),
    _bug(
        "a_tip_is_a_share_of_what_the_wrapper_gained",
        "test_native_coin_wrapped_within_a_plan_is_no_profit",
        (_EXECUTOR, "_tip(header);", "_tip(header, _held(header.token, balance));"),
        (
            _EXECUTOR,
            "function _tip(Header memory header) private {",
            "function _tip(Header memory header, uint256 heldBefore) private {",
        ),
        (_EXECUTOR, "_gainSoFar(header.token) *", "(_held(header.token) - heldBefore) *"),
        is_theft=True,
    ),
    _bug(
        "a_tip_is_a_share_of_all_that_is_held",
        "test_a_tip_is_its_share_of_the_profit_in_native_coin",
        (_EXECUTOR, "_gainSoFar(header.token) *", "_held(header.token) *"),
        is_theft=True,
    ),
    _bug(
        "native_coin_is_taken_from_anybody",
        "testFuzz_native_coin_comes_from_the_wrapper_alone",
        (_EXECUTOR, "if (msg.sender != address(wrappedNative)) revert NativeCoinRefused(msg.sender);", ""),
    ),
)
