"""The first trial: a token passed from hand to hand, without any pool's arithmetic in between.

Whoever holds it in a market (a pair, a pool, a vault) is made to send some to an account that never was; it goes on to
another, comes back by an allowance, and part of it returns to the market, at once and after the hold. Every transfer
must say that it happened and move the amount that it was asked for; nothing may move in between.
"""

from collections.abc import Iterator, Mapping

import msgspec

from headrace.adapters.inspectors.node import erc20
from headrace.adapters.inspectors.node.script import Outcome, Script, ScriptCall, Setting
from headrace.adapters.protocols.words import call_data
from headrace.model.address import Address, keccak_hex
from headrace.model.token_verdict import Lie
from headrace.ports.token_inspector import Inspection

PARTS = 4  # of the amount tried, so many times a part is passed on
_REGISTRY = Address("0x1820a4b7618bde71dce8cdc73aab6c95905fad24")  # ERC-1820
_IMPLEMENTER_OF = "getInterfaceImplementer(address,bytes32)"
_ERC777 = int(keccak_hex(b"ERC777Token"), 16)
_TRANSFERS = ("take", "give", "pull", "pay", "pay_later")


class Handling(msgspec.Struct, frozen=True):
    """Of `amount` units, held by `market`, at least `PARTS`."""

    token: Address
    market: Address
    amount: int

    def script(self, setting: Setting) -> Script:
        """The calls; every balance is read right before and after it should change."""
        friend, other = setting.actor("friend"), setting.actor("other")
        part, rest = self.amount // PARTS, self.amount - self.amount // PARTS
        buying = (
            self._call("decimals", friend, erc20.DECIMALS),
            ScriptCall("erc777", friend, _REGISTRY, call_data(_IMPLEMENTER_OF, int(self.token, 16), _ERC777)),
            self._call("take", self.market, erc20.transfer(friend, self.amount)),
            self._balance("taken", friend, friend),
            self._call("give", friend, erc20.transfer(other, part)),
            self._balance("given", friend, other),
            self._call("approve", other, erc20.approve(friend, part)),
            self._call("pull", friend, erc20.transfer_from(other, friend, part)),
            self._balance("pulled", friend, friend),
            self._balance("market_before", friend, self.market),
            self._call("pay", friend, erc20.transfer(self.market, part)),
            self._balance("market_after", friend, self.market),
            self._balance("kept", friend, friend),
        )
        selling = (
            self._call("decimals_later", friend, erc20.DECIMALS),
            self._balance("kept_later", friend, friend),
            self._balance("market_later", friend, self.market),
            self._call("pay_later", friend, erc20.transfer(self.market, rest)),
            self._balance("market_last", friend, self.market),
        )
        return Script(setting, buying, selling)

    def judge(self, seen: Mapping[str, Outcome]) -> Inspection:
        """The first lie, in the order in which one explains the next."""
        for found in self._lies(seen):
            return found
        silent = next((name for name in _TRANSFERS if not seen[name].data), None)
        if silent is not None:
            return Inspection(is_fit=True, lie=Lie.RETURNS_NOTHING, detail="transfers answer nothing, and happen")
        return Inspection(is_fit=True, lie=None, detail="")

    def _lies(self, seen: Mapping[str, Outcome]) -> Iterator[Inspection]:
        word = {label: outcome.word for label, outcome in seen.items()}
        if word["decimals"] != word["decimals_later"]:
            yield _lie(Lie.CHANGES_DECIMALS, f"{word['decimals']}, later {word['decimals_later']}")
        if word["erc777"]:
            yield _lie(
                Lie.CALLS_BACK, "it is registered as an ERC-777 token, which calls whoever sends and receives it"
            )
        for name in _TRANSFERS:
            if seen[name].is_success and any_answer_but_true(seen[name].data):
                yield _lie(Lie.RETURNS_FALSE, f"a transfer answers 0x{seen[name].data[:32].hex()}")
        for early, late in (("kept", "kept_later"), ("market_after", "market_later")):
            if word[early] != word[late]:
                yield _lie(Lie.REBASES, f"a balance of {word[early]} is {word[late]} later, without a transfer")
        yield from self._moves(seen, word)

    def _moves(self, seen: Mapping[str, Outcome], word: Mapping[str, int | None]) -> Iterator[Inspection]:
        """Every transfer in its order: a later one may fail for want of what an earlier one kept."""
        part, rest = self.amount // PARTS, self.amount - self.amount // PARTS
        moves = (
            ("take", "from its market", self.amount, 0, "taken"),
            ("give", "from hand to hand", part, 0, "given"),
            ("pull", "by an allowance", self.amount, 0, "pulled"),
            ("pay", "to its market", part, word["market_before"], "market_after"),
            ("pay_later", "to its market, later", rest, word["market_later"], "market_last"),
        )
        for name, where, sent, before, after in moves:
            held = word[after]
            if not seen[name].is_success:
                lie = Lie.BLOCKS_SALE if name.startswith("pay") else Lie.BLOCKS_TRANSFER
                yield _lie(lie, f"it cannot be sent {where} ({seen[name].message or 'reverted'})")
            elif before is None or held is None:
                yield _lie(Lie.BLOCKS_TRANSFER, "it does not tell its balances")
            elif held - before != sent:
                yield _lie(Lie.FEE_ON_TRANSFER, f"of {sent} units sent {where}, {held - before} arrive")

    def _call(self, label: str, sender: Address, data: bytes) -> ScriptCall:
        return ScriptCall(label, sender, self.token, data)

    def _balance(self, label: str, sender: Address, holder: Address) -> ScriptCall:
        return ScriptCall(label, sender, self.token, erc20.balance_of(holder))


def any_answer_but_true(data: bytes) -> bool:
    """Whether a transfer's answer is neither nothing nor the word 1: what SafeERC20 and the pools refuse."""
    return bool(data) and (len(data) < 32 or int.from_bytes(data[:32], "big") != 1)  # noqa: PLR2004 - a word


def _lie(lie: Lie, detail: str) -> Inspection:
    return Inspection(is_fit=False, lie=lie, detail=detail)
