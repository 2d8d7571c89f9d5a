// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IExecutor} from "../src/interfaces/IExecutor.sol";
import {IRoles} from "../src/interfaces/IRoles.sol";
import {Artifacts} from "./market/Artifacts.sol";

/// @notice The first operator lies beside the pause, the others in a mapping: nobody can tell from outside.
contract ExecutorOperatorsTest is Artifacts {
    uint160 private constant FIRST = 0xB1;
    uint256 private constant ACCOUNTS = 4;

    IExecutor private executor;
    mapping(address => bool) private model;

    function setUp() public {
        executor = _newExecutor(address(this), address(0));
    }

    /// @dev Orders: each byte appoints or dismisses one of four accounts.
    function testFuzz_operators_are_a_set(bytes calldata orders) public {
        for (uint256 i; i < orders.length; ++i) {
            address account = address(FIRST + uint160(uint8(orders[i]) % ACCOUNTS));
            bool isAppointed = uint8(orders[i]) & 0x80 != 0;
            executor.setOperator(account, isAppointed);
            model[account] = isAppointed;
            _assertAsModel();
        }
    }

    /// @dev All sequences of four orders to two accounts.
    function test_operators_are_a_set_in_every_order_of_two() public {
        for (uint256 orders; orders < 256; ++orders) {
            executor = _newExecutor(address(this), address(0));
            (model[address(FIRST)], model[address(FIRST + 1)]) = (false, false);
            for (uint256 i; i < 4; ++i) {
                uint256 order = orders >> 2 * i & 3;
                address account = address(FIRST + uint160(order & 1));
                executor.setOperator(account, order & 2 != 0);
                model[account] = order & 2 != 0;
                _assertAsModel();
            }
        }
    }

    function test_an_operator_appointed_twice_is_dismissed_by_one_order() public {
        (address other, address stolen) = (address(FIRST), address(FIRST + 1));
        executor.setOperator(other, true);
        executor.setOperator(stolen, true);
        executor.setOperator(other, false);
        executor.setOperator(stolen, true);
        executor.setOperator(stolen, false);
        assertFalse(executor.isOperator(stolen));
        vm.expectRevert(abi.encodeWithSelector(IRoles.NotOperator.selector, stolen));
        vm.prank(stolen);
        executor.execute("");
    }

    function test_nobody_is_no_operator() public {
        assertFalse(executor.isOperator(address(0)));
        vm.expectRevert(IRoles.OperatorIsZero.selector);
        executor.setOperator(address(0), true);
    }

    function _assertAsModel() private view {
        for (uint160 i; i < ACCOUNTS; ++i) {
            assertEq(executor.isOperator(address(FIRST + i)), model[address(FIRST + i)]);
        }
    }
}
