"""A second witness of realised profit: what the Executor's balances did in the blocks of its executions."""

from collections import defaultdict
from collections.abc import Iterable

from headrace.model.address import Address, Hash32
from headrace.model.execution import Execution
from headrace.ports.chain import Call, Chain

_BALANCE_OF = bytes.fromhex("70a08231")


async def balance_mismatches(chain: Chain, executor: Address, executions: Iterable[Execution]) -> list[str]:
    """Blocks in which a balance moved by other than the sum of the executions' fills; empty when receipts are right.

    Raises:
        ChainError: the node failed, or has forgotten the state of such a block.
    """
    expected: dict[tuple[int, Address], int] = defaultdict(int)
    for execution in executions:
        for fill in execution.fills:
            if execution.block_number is not None:
                expected[execution.block_number, fill.token] += fill.delta_units
    found = []
    for (number, token), delta in sorted(expected.items()):
        header = await chain.header_by_number(number)
        assert header is not None, "an execution's block is on the chain"
        after = await _balance(chain, token, executor, header.hash)
        before = await _balance(chain, token, executor, header.parent_hash)
        if after - before != delta:
            found.append(f"block {number}: the balance of {token} moved by {after - before}, receipts say {delta}")
    return found


async def _balance(chain: Chain, token: Address, holder: Address, block: Hash32) -> int:
    data = _BALANCE_OF + bytes(12) + bytes.fromhex(holder[2:])
    return int.from_bytes(await chain.call(Call(token, data), block))
