"""Uniswap v4: `Initialize(id, currency0, currency1, fee, tick spacing, hooks, price, tick)` of the PoolManager.

A pool is its key; its id is the key's hash. So the event proves itself, and what it tells is all that describes the
pool. Whether a pool with hooks or a dynamic fee is traded is for the protocol's folder to say. There is no running
number: completeness rests on the node.

Source: Uniswap v4 core 1.0.2, IPoolManager.sol, types/PoolId.sol.
"""

from headrace.adapters.factories.event import event_address, event_number, event_words, order_flaw
from headrace.adapters.protocols.words import id_of, topic
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV4Step
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

INITIALIZE = topic("Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)")
_FEE_END = 1 << 24
_SPACING_END = 1 << 15


class UniswapV4Manager:
    """Implements `headrace.ports.factory.Factory`."""

    protocol_id = ProtocolId("uniswap_v4")
    topics = (INITIALIZE,)
    proof = "id"
    count_question = None

    def __init__(self, address: Address) -> None:
        """Take the PoolManager."""
        self.address = address

    def read(self, log: Log) -> Creation:
        """The pool and its whole key.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        pool, word0, word1, fee, spacing, hook, _, _ = event_words(log, 4, 5)
        tokens = event_address(log, "currency0", word0), event_address(log, "currency1", word1)
        fee_pips = event_number(log, "fee", fee, _FEE_END)
        tick_spacing = event_number(log, "tickSpacing", spacing, _SPACING_END)
        hooks = event_address(log, "hooks", hook)
        expected = UniswapV4Step(*tokens, ZERO_ADDRESS, fee_pips, tick_spacing, hooks).pool_id
        flaw = order_flaw(*tokens) or ("" if id_of(pool) == expected else f"its key gives {expected}")
        return Creation(
            pool=id_of(pool),
            tokens=tokens,
            block_number=log.block_number,
            fee_pips=fee_pips,
            tick_spacing=tick_spacing,
            hooks=hooks,
            flaw=flaw,
        )

    def question(self, creation: Creation) -> Call | None:
        """Nobody has to be asked."""
        del creation
        return None
