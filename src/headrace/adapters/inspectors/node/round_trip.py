"""The second trial: buy through a real pool, hold, sell all of it again, and compare with the pool's exact quotes.

An account that never was is lent the code of `TokenProbe`, which walks the Executor's own steps. The money is wrapped
for it, or sent to it by somebody who holds it. What the first swap left of the pool is folded from its simulated logs,
so the sale is compared to the unit as well. A pool that cannot be quoted that far ahead (rates that no log tells) must
take the sale, at whatever price.
"""

from collections.abc import Iterator, Mapping

import msgspec

from headrace.adapters.inspectors.node import erc20
from headrace.adapters.inspectors.node.script import Outcome, Script, ScriptCall, Setting
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedLogError, UnquotableError
from headrace.model.address import ZERO_ADDRESS, Address, keccak_hex
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.token_verdict import Lie
from headrace.ports.pool import DEX, PoolState
from headrace.ports.token_inspector import Inspection

_ENTERED = keccak_hex(b"Entered(address)")
_WORD = 32


class RoundTrip(msgspec.Struct, frozen=True):
    """`amount` units of `money` into `token` through one pool, and back.

    `lender` holds money and is made to send it; None where money is the wrapped native coin, which is wrapped.
    """

    dex: DEX
    state: PoolState
    token: Address
    money: Address
    amount: int
    lender: Address | None
    probe_code: bytes

    def script(self, setting: Setting) -> Script:
        """The calls.

        Raises:
            UnquotableError: the pool does not take the amount.
        """
        probe, trader = setting.actor("probe"), setting.actor("trader")
        bought = self.bought(setting)
        buying = (
            *self._funding(trader, probe),
            ScriptCall("funded", trader, self.money, erc20.balance_of(probe)),
            ScriptCall("stock", trader, self.token, erc20.balance_of(self.state.pool.address)),
            ScriptCall("buy", trader, probe, self._walk(self.money, self.token, self.amount)),
            ScriptCall("bought", trader, self.token, erc20.balance_of(probe)),
            ScriptCall("stock_later", trader, self.token, erc20.balance_of(self.state.pool.address)),
            ScriptCall("change", trader, self.money, erc20.balance_of(probe)),
        )
        selling = (
            ScriptCall("held", trader, self.token, erc20.balance_of(probe)),
            ScriptCall("sell", trader, probe, self._walk(self.token, self.money, bought)),
            ScriptCall("left", trader, self.token, erc20.balance_of(probe)),
            ScriptCall("earned", trader, self.money, erc20.balance_of(probe)),
        )
        return Script(setting, buying, selling, {probe: self.probe_code})

    def bought(self, setting: Setting) -> int:
        """What the pool must pay, exactly.

        Raises:
            UnquotableError: the pool does not take the amount.
        """
        return self.dex.quote_out(self.state, self.money, self.token, self.amount, setting.buying)

    def judge(self, seen: Mapping[str, Outcome], setting: Setting) -> Inspection:
        """The first lie in the order of the walk."""
        if seen["funded"].word != self.amount:
            return Inspection(is_fit=False, lie=None, detail=f"no {self.money} could be had to buy it with")
        for lie, detail in self._lies(seen, setting):
            return Inspection(is_fit=False, lie=lie, detail=f"{detail} (pool {self.state.pool.id})")
        return Inspection(is_fit=True, lie=None, detail="")

    def _lies(self, seen: Mapping[str, Outcome], setting: Setting) -> Iterator[tuple[Lie, str]]:
        bought, held = seen["bought"].word, seen["held"].word
        if not seen["buy"].is_success:
            yield Lie.BLOCKS_BUY, f"buying fails: {seen['buy'].message or 'reverted'}"
        paid = (seen["stock"].word or 0) - (seen["stock_later"].word or 0)
        if bought != paid:
            yield Lie.FEE_ON_TRANSFER, f"of {paid} units bought, {bought} arrive"
        if bought != self.bought(setting):
            yield Lie.OFF_QUOTE, f"the purchase pays {bought} units and not {self.bought(setting)}"
        if seen["change"].word != 0:
            yield Lie.OFF_QUOTE, f"of {self.amount} units to be spent, {seen['change'].word} are not taken"
        if any(log.topics[:1] == (_ENTERED,) for name in ("buy", "sell") for log in seen[name].logs):
            yield Lie.CALLS_BACK, "it calls its receiver in the middle of a transfer"
        if held != bought:
            yield Lie.REBASES, f"a balance of {bought} is {held} later, without a transfer"
        if not seen["sell"].is_success:
            yield Lie.BLOCKS_SALE, f"what was bought cannot be sold: {seen['sell'].message or 'reverted'}"
        if seen["left"].word != 0:
            yield Lie.FEE_ON_TRANSFER, f"{seen['left'].word} units are left of a balance that was sold"
        earned, owed = seen["earned"].word, self._owed(seen, setting)
        if owed is not None and earned != owed:
            yield Lie.OFF_QUOTE, f"the sale pays {earned} units and not {owed}"

    def _owed(self, seen: Mapping[str, Outcome], setting: Setting) -> int | None:
        state = self.state
        try:
            for log in seen["buy"].logs:
                if log.topics and log.topics[0] in self.dex.topics and self.dex.pool_of(log) == state.pool.id:
                    state = self.dex.apply(state, log)
            return self.dex.quote_out(state, self.token, self.money, self.bought(setting), setting.selling)
        except (UnquotableError, MalformedLogError):
            return None

    def _funding(self, trader: Address, probe: Address) -> Iterator[ScriptCall]:
        if self.lender is None:
            yield ScriptCall("wrap", trader, self.money, erc20.DEPOSIT, self.amount)
        yield ScriptCall("fund", self.lender or trader, self.money, erc20.transfer(probe, self.amount))

    def _walk(self, token_in: Address, token_out: Address, amount: int) -> bytes:
        step = self.dex.step(self.state, token_in, token_out)
        plan = ExecutorPlan(Funding.OWN_CAPITAL, ZERO_ADDRESS, amount, 0, 0, (step,)).encode()
        padding = bytes(-len(plan) % _WORD)
        return call_data("walk(bytes)", _WORD, len(plan)) + plan + padding
