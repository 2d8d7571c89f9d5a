"""`headrace.ports.token_inspector.TokenInspector` by trials on the node.

Through each of a few pools a token is handled and taken on a round trip, as in a block that is mined, large and small,
and once more as in a careless simulation, where gas is free and nobody mines, by other accounts. One lie anywhere is
enough; a token is fit when nothing lied and one pool showed all of it. What is seen in the one setting and not in the
other is the work of a token that knows when it is watched.

Where a pool does not pay as quoted although every transfer was exact, the pool may be at fault: then another pool
decides about the token, and the rehearsal keeps plans away from that one.

What no trial can show is said in docs/concepts/tokens.md: hence verdicts expire, and every fill is checked.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.flash_sources.liquidity import read_balances
from headrace.adapters.inspectors.node import erc20
from headrace.adapters.inspectors.node.handling import PARTS, Handling
from headrace.adapters.inspectors.node.round_trip import RoundTrip
from headrace.adapters.inspectors.node.script import Script, ScriptCall, Setting, bare_setting, real_setting
from headrace.errors import MalformedAnswerError, MalformedPoolError, RpcError, UnquotableError
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool, ProtocolId
from headrace.model.token_verdict import Lie
from headrace.ports.chain import Chain
from headrace.ports.pool import DEX, PoolState
from headrace.ports.token_inspector import Inspection

_POOLS_TRIED_MAX = 3
_LENDERS_ASKED_MAX = 32
_SHARE_DIVISOR = 10  # of what the market holds, so much is tried
_SMALL_DIVISOR = 1000  # the second size is so much smaller
_SIZES_TRIED_MAX = 8
_SIZE_STEP = 8
_MAY_BE_THE_POOL_S = frozenset({Lie.BLOCKS_BUY, Lie.OFF_QUOTE})


class _Means(msgspec.Struct, frozen=True):
    """One pool, what it holds of the token and of money, and who lends money; None where money is wrapped."""

    state: PoolState
    money: Address
    token_units: int
    money_units: int
    lender: Address | None


class NodeInspector:
    """Asks one node; `probe_code` is the runtime code of contracts/src/TokenProbe.sol."""

    def __init__(
        self, client: NodeClient, chain: Chain, dexes: Mapping[ProtocolId, DEX], native: Address, probe_code: bytes
    ) -> None:
        """Keep the parts; `native` is the token that wraps the native coin."""
        self._client = client
        self._chain = chain
        self._dexes = dexes
        self._native = native
        self._probe_code = probe_code

    async def inspect(
        self, token: Address, pools: Sequence[Pool], money: Collection[Address], head: BlockHeader
    ) -> Inspection:
        """Try the token through the pools that hold most of their money.

        Raises:
            ChainError: the node failed.
        """
        why_not = "no pool pairs it with a token that is known to be honest and can be borrowed elsewhere"
        passed: Inspection | None = None
        doubtful: Inspection | None = None
        for means in await self._means(token, pools, money, head.hash):
            found = await self._tried(token, means, head)
            if found.is_fit:
                passed = found
            elif found.lie is None:
                why_not = found.detail
            elif found.lie not in _MAY_BE_THE_POOL_S:
                return found
            else:
                doubtful = found
        return passed or doubtful or Inspection(is_fit=False, lie=None, detail=why_not)

    async def why_blind(self, head: BlockHeader) -> str:
        """Why this node cannot try any token; empty where it can.

        Raises:
            NodeUnreachableError: no answer.
        """
        setting = real_setting(head)
        nobody = setting.actor("nobody")
        ask = ScriptCall("ask", nobody, self._native, erc20.DECIMALS)
        call = ScriptCall("call", nobody, setting.actor("probe"), b"")
        code = {setting.actor("probe"): self._probe_code}
        try:
            seen = await Script(setting, (ask, call), (ask,), code).run(self._client, head.hash)
        except (RpcError, MalformedAnswerError) as error:
            return str(error)
        return "" if seen["call"].logs else "it ignores lent code (state overrides)"

    async def _means(
        self, token: Address, pools: Sequence[Pool], money: Collection[Address], block: Hash32
    ) -> list[_Means]:
        """Of the pools that can be read, those with the most money."""
        pairs = [
            (pool, one)
            for pool in pools
            if token in pool.tokens
            for one in pool.tokens
            if one in money and one != token
        ]
        asked = [(asset, pool.address) for pool, one in pairs for asset in (token, one)]
        held = await read_balances(self._chain, asked, block)
        ranked = sorted(pairs, key=lambda pair: (pair[1] != self._native, -held[pair[1], pair[0].address]))
        found = []
        for pool, one in ranked[:_POOLS_TRIED_MAX]:
            is_native = one == self._native
            lender = None if is_native else await self._lender(one, pool, pools, block)
            if lender is None and not is_native:
                continue
            try:
                (state,) = await self._dexes[pool.protocol].read(self._chain, [pool], block)
            except MalformedPoolError:
                continue
            found.append(_Means(state, one, held[token, pool.address], held[one, pool.address], lender))
        return found

    async def _lender(self, money: Address, tried: Pool, pools: Sequence[Pool], block: Hash32) -> Address | None:
        """Whoever else holds most of it: what a pair gives away it misses; a vault keeps its pools' books apart."""
        own = tried.address if str(tried.id) == tried.address else None
        others = dict.fromkeys(pool.address for pool in pools if money in pool.tokens and pool.address != own)
        asked = [(money, holder) for holder in list(others)[:_LENDERS_ASKED_MAX]]
        held = await read_balances(self._chain, asked, block)
        richest = max(asked, key=lambda one: held[one], default=None)
        return richest[1] if richest is not None and held[richest] else None

    async def _tried(self, token: Address, means: _Means, head: BlockHeader) -> Inspection:
        try:
            return await self._try(token, means, head)
        except (RpcError, MalformedAnswerError) as error:
            return Inspection(is_fit=False, lie=None, detail=f"the node cannot simulate it: {error}")

    async def _try(self, token: Address, means: _Means, head: BlockHeader) -> Inspection:
        real, bare = real_setting(head), bare_setting(head)
        sizes = [*self._sizes(token, means, real)]
        market, amount = means.state.pool.address, means.token_units // _SHARE_DIVISOR
        if not sizes or amount < PARTS:
            return Inspection(is_fit=False, lie=None, detail=f"pool {means.state.pool.id} is too shallow to try it")
        handling = Handling(token, market, amount)
        large, *small = [self._trip(token, means, size) for size in sizes]
        seen = await asyncio.gather(
            self._handled(handling, real, head.hash),
            self._handled(handling, bare, head.hash),
            self._travelled(large, real, head.hash),
            self._travelled(large, bare, head.hash),
            *(self._travelled(trip, real, head.hash) for trip in small),
        )
        handled, handled_bare, travelled, travelled_bare, *others = seen
        first = _first_lie((handled, travelled, *others))
        first_bare = _first_lie((handled_bare, travelled_bare))
        if (first is None) != (first_bare is None):
            return _staged(first, first_bare)
        if first is not None:
            return first
        return next((one for one in (travelled, travelled_bare, *others) if not one.is_fit), handled)

    def _sizes(self, token: Address, means: _Means, setting: Setting) -> Iterator[int]:
        """A size that the pool takes, as large a share as it takes of what it holds, and a small one."""
        dex, size = self._dexes[means.state.pool.protocol], means.money_units // _SHARE_DIVISOR
        for _ in range(_SIZES_TRIED_MAX):
            if self._is_taken(dex, means, token, size, setting):
                yield size
                if self._is_taken(dex, means, token, size // _SMALL_DIVISOR, setting):
                    yield size // _SMALL_DIVISOR
                return
            size //= _SIZE_STEP

    def _is_taken(self, dex: DEX, means: _Means, token: Address, size: int, setting: Setting) -> bool:
        try:
            return size > 0 and dex.quote_out(means.state, means.money, token, size, setting.buying) > 0
        except UnquotableError:
            return False

    def _trip(self, token: Address, means: _Means, amount: int) -> RoundTrip:
        dex = self._dexes[means.state.pool.protocol]
        return RoundTrip(dex, means.state, token, means.money, amount, means.lender, self._probe_code)

    async def _handled(self, handling: Handling, setting: Setting, block: Hash32) -> Inspection:
        return handling.judge(await handling.script(setting).run(self._client, block))

    async def _travelled(self, trip: RoundTrip, setting: Setting, block: Hash32) -> Inspection:
        return trip.judge(await trip.script(setting).run(self._client, block), setting)


def _first_lie(found: Sequence[Inspection]) -> Inspection | None:
    return next((one for one in found if one.lie is not None and not one.is_fit), None)


def _staged(real: Inspection | None, bare: Inspection | None) -> Inspection:
    found, where = (real, "real gas prices and a coinbase") if real is not None else (bare, "free gas and no coinbase")
    assert found is not None, "one of them lied"
    return Inspection(is_fit=False, lie=Lie.STAGED, detail=f"only with {where}: {found.lie}: {found.detail}")
