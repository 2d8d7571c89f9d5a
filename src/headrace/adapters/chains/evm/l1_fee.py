"""What a plan's data costs on the first layer, on chains of the OP stack: paid besides gas, and not a part of it.

The predeploy GasPriceOracle tells it: since the Fjord upgrade `getL1FeeUpperBound(uint256)` for a transaction of so
many bytes whatever they are, before it `getL1Fee(bytes)` for the bytes themselves. A plan's bytes are not known before
it is found, so the fee of `PLAN_BYTES` that do not compress is charged to every plan; it moves with the first layer's
base fee, slowly (an eighth in twelve seconds), and is read again off the hot path at every block.

Source: OP stack specifications, "L1 data fee"; Optimism's GasPriceOracle.
"""

import hashlib

from headrace.errors import MalformedAnswerError
from headrace.model.address import Address, Hash32, keccak_hex
from headrace.ports.chain import Call, Chain

PLAN_BYTES = 1_024  # a signed plan of three swaps has about half as many
_WORD = 32
_UPPER_BOUND = bytes.fromhex(keccak_hex(b"getL1FeeUpperBound(uint256)")[2:10])
_OF_BYTES = bytes.fromhex(keccak_hex(b"getL1Fee(bytes)")[2:10])


class L1DataFee:
    """The fee as read last, in wei; 0 for ever on chains without one."""

    def __init__(self, oracle: Address | None) -> None:
        """Keep the contract to ask."""
        self._oracle = oracle
        self.wei = 0

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read it after `block`.

        Raises:
            ChainError: the node failed, or nothing there tells the fee; the one read before stays.
        """
        if self._oracle is None:
            return
        size, data = PLAN_BYTES.to_bytes(_WORD), _incompressible(PLAN_BYTES)
        asked = (_UPPER_BOUND + size, _OF_BYTES + _WORD.to_bytes(_WORD) + size + data)
        answers = await chain.call_many([Call(self._oracle, one) for one in asked], block)
        told = [answer for answer in answers if answer is not None and len(answer) == _WORD]
        if not told:
            raise MalformedAnswerError("eth_call", f"{self._oracle} tells no fee: is this a chain of the OP stack?")
        self.wei = int.from_bytes(told[0])


def _incompressible(size: int) -> bytes:
    return b"".join(hashlib.sha256(bytes([i])).digest() for i in range(size // _WORD))
