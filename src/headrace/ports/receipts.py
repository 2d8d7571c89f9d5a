"""Where a block's receipts are told, for those who check that no log was hidden."""

from typing import Protocol

from headrace.model.address import Hash32
from headrace.model.receipts import ReceiptOutline


class ReceiptSource(Protocol):
    """A node that tells the receipts of a block."""

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        """Outlines of all receipts of a block, in order.

        Raises:
            NodeUnreachableError: no answer in time.
            RpcError: the node refuses, or does not know the block any more.
            MalformedAnswerError: the answer has not the documented form, or is of another block.
        """
        ...
