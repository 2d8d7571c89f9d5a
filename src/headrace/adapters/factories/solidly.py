"""Solidly's family: `PairCreated(token0, token1, stable, pair, number of pairs so far)`, Velodrome v2's `PoolCreated`.

The two events differ in their name and in whether `stable` is a topic. The pool's address is CREATE2 of the factory
with the salt keccak(token0 . token1 . stable); Velodrome v2 and Aerodrome create minimal proxies, whose creation code
follows from the implementation's address (`create2.clone_code_hash`). Where no hash is configured the factory's
`getPair` or `getPool` is asked, and it must agree. The running number makes a missing event show.

Source: solidly-exchange/solidly BaseV1-core.sol; velodrome-finance/contracts PoolFactory.sol (the events' and
functions' signatures alone).
"""

import msgspec

from headrace.adapters.factories.create2 import create2_pool, packed
from headrace.adapters.factories.event import event_address, event_number, event_words, order_flaw
from headrace.adapters.protocols.words import call_data, topic
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

PAIR_CREATED = topic("PairCreated(address,address,bool,address,uint256)")
POOL_CREATED = topic("PoolCreated(address,address,bool,address,uint256)")
_FORMS = {PAIR_CREATED: (3, 3), POOL_CREATED: (4, 2)}  # topics, words of data
_TRUTHS = 2


class _Functions(msgspec.Struct, frozen=True):
    """How a factory is asked for a pool and for how many there are."""

    get: str
    count: str


_FUNCTIONS = {
    PAIR_CREATED: _Functions("getPair(address,address,bool)", "allPairsLength()"),
    POOL_CREATED: _Functions("getPool(address,address,bool)", "allPoolsLength()"),
}


class SolidlyFactory:
    """Implements `headrace.ports.factory.Factory`; which of the two it is, its first log tells."""

    protocol_id = ProtocolId("solidly")
    topics = tuple(sorted(_FORMS))

    def __init__(self, address: Address, init_code_hash: Hash32 | None) -> None:
        """Take the factory, and the hash of its pools' creation code where it is known."""
        self.address = address
        self._init_code_hash = init_code_hash
        self._functions: _Functions | None = None

    @property
    def proof(self) -> str:
        """CREATE2, or the factory's word."""
        return f"create2 {self._init_code_hash}" if self._init_code_hash else "the factory"

    def read(self, log: Log) -> Creation:
        """The pool.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        self._functions = _FUNCTIONS[log.topics[0]]
        word0, word1, stable, named, ordinal = event_words(log, *_FORMS[log.topics[0]])
        tokens = event_address(log, "token0", word0), event_address(log, "token1", word1)
        is_stable = event_number(log, "stable", stable, _TRUTHS) == 1
        pool = PoolId(event_address(log, "pool", named))
        flaw = order_flaw(*tokens) or self._flaw(pool, tokens, is_stable=is_stable)
        return Creation(pool, tokens, log.block_number, ordinal, is_stable=is_stable, flaw=flaw)

    def question(self, creation: Creation) -> Call | None:
        """`getPair` or `getPool`, where no hash is known."""
        if self._init_code_hash is not None:
            return None
        assert self._functions is not None, "a creation that was not read here"
        assert creation.is_stable is not None, creation
        tokens = (int(token, 16) for token in creation.tokens)
        return Call(self.address, call_data(self._functions.get, *tokens, int(creation.is_stable)))

    @property
    def count_question(self) -> Call | None:
        """`allPairsLength` or `allPoolsLength`; None before the first log is read."""
        return None if self._functions is None else Call(self.address, call_data(self._functions.count))

    def _flaw(self, pool: PoolId, tokens: tuple[Address, Address], *, is_stable: bool) -> str:
        if self._init_code_hash is None:
            return ""
        salt = packed(*tokens) + bytes([is_stable])
        expected = create2_pool(self.address, salt, self._init_code_hash)
        return "" if pool == expected else f"its tokens and curve give {expected} by the venue's init_code_hash"
