"""Uniswap v3 and PancakeSwap v3: `PoolCreated(token0, token1, fee, tick spacing, pool)`.

The pool's address is CREATE2 with the salt keccak(abi.encode(token0, token1, fee)); its maker is the factory, or a
deployer of the factory's (PancakeSwap's). Where the hash of the creation code is not configured the factory's `getPool`
is asked, and it must agree. There is no running number: completeness rests on the node.

Source: Uniswap v3-core 1.0.1, UniswapV3Factory.sol and UniswapV3PoolDeployer.sol; the original's hash is
0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54.
"""

from headrace.adapters.factories.create2 import create2_pool
from headrace.adapters.factories.event import event_address, event_number, event_words, order_flaw
from headrace.adapters.protocols.words import call_data, topic
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

POOL_CREATED = topic("PoolCreated(address,address,uint24,int24,address)")
_GET_POOL = "getPool(address,address,uint24)"
_FEE_END = 1_000_000
_SPACING_END = 16_384
_WORD = 32


class UniswapV3Factory:
    """Implements `headrace.ports.factory.Factory`."""

    protocol_id = ProtocolId("uniswap_v3")
    topics = (POOL_CREATED,)
    count_question = None

    def __init__(self, address: Address, init_code_hash: Hash32 | None, deployer: Address | None = None) -> None:
        """Take the factory, what is known of its pools' creation code, and who creates them if not the factory."""
        self.address = address
        self._init_code_hash = init_code_hash
        self._maker = deployer or address

    @property
    def proof(self) -> str:
        """CREATE2, or the factory's word."""
        return f"create2 {self._init_code_hash} by {self._maker}" if self._init_code_hash else "getPool"

    def read(self, log: Log) -> Creation:
        """The pool.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        word0, word1, fee, spacing, named = event_words(log, 4, 2)
        tokens = event_address(log, "token0", word0), event_address(log, "token1", word1)
        fee_pips = event_number(log, "fee", fee, _FEE_END)
        tick_spacing = event_number(log, "tickSpacing", spacing, _SPACING_END)
        pool = PoolId(event_address(log, "pool", named))
        flaw = order_flaw(*tokens) or self._flaw(pool, tokens, fee_pips)
        return Creation(pool, tokens, log.block_number, fee_pips=fee_pips, tick_spacing=tick_spacing, flaw=flaw)

    def question(self, creation: Creation) -> Call | None:
        """`getPool`, where no hash is known."""
        if self._init_code_hash is not None:
            return None
        assert creation.fee_pips is not None, creation
        tokens = (int(token, 16) for token in creation.tokens)
        return Call(self.address, call_data(_GET_POOL, *tokens, creation.fee_pips))

    def _flaw(self, pool: PoolId, tokens: tuple[Address, Address], fee_pips: int) -> str:
        if self._init_code_hash is None:
            return ""
        words = (*(int(token, 16) for token in tokens), fee_pips)
        encoded = b"".join(word.to_bytes(_WORD, "big") for word in words)
        expected = create2_pool(self._maker, encoded, self._init_code_hash)
        return "" if pool == expected else f"its tokens and fee give {expected} by the venue's init_code_hash"
