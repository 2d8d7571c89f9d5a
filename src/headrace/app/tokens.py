"""Which tokens may be traded: the configuration's lists first, then verdicts that have not expired, then the inspector.

The wrapped native coin is the measure of all others: naming it in the configuration is trusting it. A token is tried
with money that is known to be honest, so verdicts spread from the native coin and the allowlist over the pools. The
native coin itself, as Uniswap v4 trades it, has no code that could lie; nobody lends it, so it proves no other token.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app.config.places import TokenCheck
from headrace.devnet.artifacts import own_runtime_code
from headrace.errors import ChainError, DevnetError, StoreError
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.model.token_verdict import Lie, TokenVerdict
from headrace.ports.token_inspector import Inspection, TokenInspector

log = structlog.get_logger("headrace")
_INSPECTED_AT_ONCE = 4
_RENEWED_WITHIN_DIVISOR = 4  # a verdict is renewed in the last quarter of its time
_RETRIED_AFTER_DIVISOR = 40  # ten attempts in that quarter
_NO_PROBE = Inspection(is_fit=False, lie=None, detail="the contracts are not built here: run `make setup`")


def probe_code() -> bytes | None:
    """Runtime code of contracts/src/TokenProbe.sol, or None where the contracts are not built."""
    try:
        return own_runtime_code("TokenProbe")
    except DevnetError:
        return None


class TokenDesk:
    """One chain's verdicts."""

    def __init__(
        self,
        rules: TokenCheck,
        native: Address,
        inspector: TokenInspector | None,
        file: VerdictFile,
        report: Callable[[str], None],
    ) -> None:
        """Keep the parts; without an inspector only the lists and kept verdicts let a token through."""
        self._rules = rules
        self._blocked = frozenset(rules.all_blocked)
        self._trusted = frozenset({*rules.all_allowed, native}) - self._blocked
        self._inspector = inspector
        self._file = file
        self._report = report
        self._pools: tuple[Pool, ...] = ()
        self._verdicts: dict[Address, TokenVerdict] = {}
        self._renewed_at: dict[Address, int] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def judge(self, pools: Sequence[Pool], head: BlockHeader) -> Mapping[Address, str]:
        """Why each unfit token of these pools is none to be traded; what has a verdict is not checked again.

        Raises:
            ChainError: the node failed.
        """
        self._pools = tuple(pools)
        self._verdicts = self._kept(head)
        tokens = tuple(dict.fromkeys(token for pool in pools for token in pool.tokens))
        unknown = [token for token in tokens if self.why_unfit(token, head.number) and not self._is_decided(token)]
        if unknown:
            self._report(f"checking {len(unknown)} tokens")
            await self._spread(unknown, head)
            self._keep()
        return {token: why for token in tokens if (why := self.why_unfit(token, head.number))}

    def why_unfit(self, token: Address, block: int) -> str:
        """Why the token is not traded in that block; empty where it is."""
        if token in self._trusted or token == ZERO_ADDRESS:
            return ""
        if token in self._blocked:
            return f"{Lie.BLOCKLISTED}: the configuration blocks it"
        verdict = self._verdicts.get(token)
        if verdict is None:
            return "unknown: it was not checked"
        if not verdict.is_fit:
            return verdict.why
        if block > verdict.expires_block:
            return f"unknown: its verdict counted until block {verdict.expires_block}"
        return ""

    def begin_renewal(self, head: BlockHeader) -> None:
        """Have `renew` done beside the trading; nothing while the last one is still under way."""
        if self._due(head) and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew_unless_it_fails(head), name="token renewal")

    async def close(self) -> None:
        """End a renewal that is under way."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.wait([self._renewing])
        if not self._renewing.cancelled():
            self._renewing.result()  # a bug ends the task that closes

    async def _renew_unless_it_fails(self, head: BlockHeader) -> None:
        try:
            await self.renew(head)
        except ChainError as error:
            log.warning("token not judged anew", why=str(error))

    def _due(self, head: BlockHeader) -> list[TokenVerdict]:
        """What has little time left and was not just tried in vain."""
        valid = self._rules.valid_blocks
        soon, long_ago = head.number + valid // _RENEWED_WITHIN_DIVISOR, head.number - valid // _RETRIED_AFTER_DIVISOR
        return [
            one
            for one in self._verdicts.values()
            if one.expires_block <= soon
            and one.token not in self._trusted
            and self._renewed_at.get(one.token, long_ago) <= long_ago
        ]

    async def renew(self, head: BlockHeader) -> None:
        """Check one token again whose verdict has little time left.

        A token that cannot be checked now keeps its verdict until that expires, and is tried again after a while.

        Raises:
            ChainError: the node failed; the verdicts stand until they expire.
        """
        due = self._due(head)
        if not due:
            return
        old = min(due, key=lambda one: (self._renewed_at.get(one.token, -1), one.expires_block))
        self._renewed_at[old.token] = head.number
        new = await self._verdict(old.token, self._money(head.number) - {old.token}, head)
        if _is_unknown(new):
            log.warning("token not judged anew", token=old.token, why=new.detail)
            return
        if (new.is_fit, new.lie) != (old.is_fit, old.lie):
            log.warning("token judged anew", token=old.token, was=old.why, why=new.why)
        self._verdicts[old.token] = new
        self._keep()

    async def _spread(self, unknown: Sequence[Address], head: BlockHeader) -> None:
        """In waves: what one wave finds honest is money for the next."""
        gate = asyncio.Semaphore(_INSPECTED_AT_ONCE)
        left, money = list(unknown), self._money(head.number)

        async def one(token: Address, money: Collection[Address]) -> None:
            async with gate:
                self._verdicts[token] = await self._verdict(token, money, head)

        while left:
            wave = [token for token in left if self._is_beside(token, money)] or left
            await asyncio.gather(*(one(token, money) for token in wave))
            left = [token for token in left if token not in wave]
            money = self._money(head.number)

    def _is_beside(self, token: Address, money: Collection[Address]) -> bool:
        return any(token in pool.tokens and not set(pool.tokens).isdisjoint(money) for pool in self._pools)

    async def _verdict(self, token: Address, money: Collection[Address], head: BlockHeader) -> TokenVerdict:
        found = _NO_PROBE
        if self._inspector is not None:
            found = await self._inspector.inspect(token, self._pools, money, head)
        return TokenVerdict(
            token=token,
            is_fit=found.is_fit,
            lie=found.lie,
            detail=found.detail,
            checked_block=head.number,
            expires_block=head.number + self._rules.valid_blocks,
        )

    def _money(self, block: int) -> frozenset[Address]:
        fit = {one.token for one in self._verdicts.values() if not self.why_unfit(one.token, block)}
        return self._trusted | fit

    def _is_decided(self, token: Address) -> bool:
        verdict = self._verdicts.get(token)
        return token in self._blocked or (verdict is not None and not verdict.is_fit)

    def _kept(self, head: BlockHeader) -> dict[Address, TokenVerdict]:
        """Those of the file that count at this block."""
        try:
            kept = self._file.read()
        except StoreError as error:
            self._report(str(error))
            return {}
        return {one.token: one for one in kept if one.checked_block <= head.number <= one.expires_block}

    def _keep(self) -> None:
        """Write what is known; that a token could not be checked is forgotten with the process."""
        try:
            self._file.write(one for one in self._verdicts.values() if not _is_unknown(one))
        except StoreError as error:
            log.warning("verdicts not kept", why=str(error))


def _is_unknown(verdict: TokenVerdict) -> bool:
    return not verdict.is_fit and verdict.lie is None
