"""Uniswap v2 and its forks: `PairCreated(token0, token1, pair, number of pairs so far)`.

The pair's address is CREATE2 of the factory with the salt token0 . token1. Forks differ in their creation code: where
its hash is not configured the factory's `getPair` is asked, and it must agree. The running number makes a missing
event show.

Source: Uniswap v2-core 1.0.1, UniswapV2Factory.sol; the original's hash is
0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f.
"""

from headrace.adapters.factories.create2 import create2_pool, packed
from headrace.adapters.factories.event import event_address, event_words, order_flaw
from headrace.adapters.protocols.words import call_data, topic
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

PAIR_CREATED = topic("PairCreated(address,address,address,uint256)")
_GET_PAIR = "getPair(address,address)"
_COUNT = call_data("allPairsLength()")


class UniswapV2Factory:
    """Implements `headrace.ports.factory.Factory`."""

    protocol_id = ProtocolId("uniswap_v2")
    topics = (PAIR_CREATED,)

    def __init__(self, address: Address, init_code_hash: Hash32 | None) -> None:
        """Take the factory, and the hash of its pairs' creation code where it is known."""
        self.address = address
        self._init_code_hash = init_code_hash

    @property
    def proof(self) -> str:
        """CREATE2, or the factory's word."""
        return f"create2 {self._init_code_hash}" if self._init_code_hash else "getPair"

    def read(self, log: Log) -> Creation:
        """The pair.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        word0, word1, pair, ordinal = event_words(log, 3, 2)
        tokens = event_address(log, "token0", word0), event_address(log, "token1", word1)
        pool = PoolId(event_address(log, "pair", pair))
        flaw = order_flaw(*tokens) or self._flaw(pool, tokens)
        return Creation(pool, tokens, log.block_number, ordinal, flaw=flaw)

    def question(self, creation: Creation) -> Call | None:
        """`getPair`, where no hash is known."""
        if self._init_code_hash is not None:
            return None
        return Call(self.address, call_data(_GET_PAIR, *(int(token, 16) for token in creation.tokens)))

    @property
    def count_question(self) -> Call | None:
        """`allPairsLength`."""
        return Call(self.address, _COUNT)

    def _flaw(self, pool: PoolId, tokens: tuple[Address, Address]) -> str:
        if self._init_code_hash is None:
            return ""
        expected = create2_pool(self.address, packed(*tokens), self._init_code_hash)
        return "" if pool == expected else f"its tokens give {expected} by the venue's init_code_hash"
