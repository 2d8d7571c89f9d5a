"""The desk that decides which tokens are traded, with an inspector that says what it is told."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.support.market import DAI, USDC, WETH, header, pair
from tests.support.waiting import until

from headrace.adapters.stores.verdicts import VerdictFile
from headrace.app import tokens
from headrace.app.config.places import TokenCheck
from headrace.app.tokens import TokenDesk
from headrace.errors import DevnetError, NodeUnreachableError
from headrace.model.address import ZERO_ADDRESS, Address, ChainId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool
from headrace.model.token_verdict import Lie, TokenVerdict
from headrace.ports.token_inspector import Inspection, TokenInspector

CHAIN = ChainId(31337)
POOLS = (pair(1, "a", WETH, USDC), pair(2, "a", USDC, DAI))
RULES = TokenCheck(valid_blocks=100)
FIT = Inspection(is_fit=True, lie=None, detail="")
GROWS = Inspection(is_fit=False, lie=Lie.REBASES, detail="it grows")
BLIND = Inspection(is_fit=False, lie=None, detail="the node is old")


class Told:
    """Answers as told, fit where nothing is told; remembers who was asked about, and with which money."""

    def __init__(self, answers: Mapping[Address, Inspection]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[Address, frozenset[Address]]] = []
        self.is_gone = False
        self.times_gone = 0

    async def inspect(
        self, token: Address, pools: Sequence[Pool], money: Collection[Address], head: BlockHeader
    ) -> Inspection:
        assert pools == POOLS
        assert head.number >= 100
        if self.is_gone:
            self.times_gone += 1
            raise NodeUnreachableError("gone")
        self.asked.append((token, frozenset(money)))
        return self.answers.get(token, FIT)


class Desk:
    """A desk over a file in a folder, which a second one finds again."""

    def __init__(self, folder: Path, answers: Mapping[Address, Inspection] | None = None) -> None:
        self.inspector = Told(answers or {})
        self.file = VerdictFile(folder / "tokens.json", CHAIN)
        self.said: list[str] = []

    def opened(self, rules: TokenCheck = RULES, inspector: TokenInspector | None = None) -> TokenDesk:
        return TokenDesk(rules, WETH.address, inspector or self.inspector, self.file, self.said.append)

    def judged(self, number: int = 100, rules: TokenCheck = RULES) -> Mapping[Address, str]:
        return asyncio.run(self.opened(rules).judge(POOLS, header(number)))

    @property
    def tokens_asked(self) -> list[Address]:
        return [token for token, _ in self.inspector.asked]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_verdicts_spread_from_the_wrapped_coin_over_the_pools(desk: Desk) -> None:
    assert desk.judged() == {}
    assert desk.inspector.asked == [
        (USDC.address, frozenset({WETH.address})),
        (DAI.address, frozenset({WETH.address, USDC.address})),
    ]
    assert desk.said == ["checking 2 tokens"]


def test_what_lies_is_named_and_is_no_money_for_others(desk: Desk) -> None:
    desk.inspector.answers[USDC.address] = GROWS
    assert desk.judged() == {USDC.address: "rebases: it grows"}
    assert desk.inspector.asked[1] == (DAI.address, frozenset({WETH.address}))


def test_a_verdict_is_kept_until_it_expires(desk: Desk) -> None:
    desk.inspector.answers[USDC.address] = GROWS
    for number in (100, 150, 200):
        assert desk.judged(number) == {USDC.address: "rebases: it grows"}
    assert desk.tokens_asked == [USDC.address, DAI.address]
    assert desk.judged(201) == {USDC.address: "rebases: it grows"}
    assert desk.tokens_asked == 2 * [USDC.address, DAI.address]


def test_a_verdict_from_another_chain_s_future_does_not_count(desk: Desk) -> None:
    desk.judged(150)
    desk.judged(149)
    assert len(desk.inspector.asked) == 4


def test_what_could_not_be_checked_is_not_traded_and_tried_again(desk: Desk) -> None:
    desk.inspector.answers[DAI.address] = BLIND
    assert desk.judged() == {DAI.address: "unknown: the node is old"}
    desk.inspector.answers.clear()
    assert desk.judged() == {}
    assert desk.tokens_asked == [USDC.address, DAI.address, DAI.address]


def test_the_lists_override_whatever_is_found(desk: Desk) -> None:
    desk.inspector.answers[USDC.address] = GROWS
    desk.judged()
    rules = TokenCheck(allowed=(USDC.address,), blocked=(DAI.address,), valid_blocks=100)
    assert desk.judged(rules=rules) == {DAI.address: "blocklisted: the configuration blocks it"}
    assert len(desk.inspector.asked) == 2
    blocked = TokenCheck(blocked=(WETH.address,))
    assert WETH.address in desk.judged(rules=blocked)


def test_without_the_probe_only_the_lists_let_a_token_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> bytes:
        raise DevnetError(name)

    assert tokens.probe_code()
    monkeypatch.setattr(tokens, "own_runtime_code", missing)
    assert tokens.probe_code() is None
    file = VerdictFile(tmp_path / "tokens.json", CHAIN)
    blind = TokenDesk(TokenCheck(allowed=(USDC.address,)), WETH.address, None, file, lambda _: None)
    assert list(asyncio.run(blind.judge(POOLS, header()))) == [DAI.address]


def test_a_file_that_cannot_be_read_is_told_and_costs_a_check(desk: Desk) -> None:
    desk.file.path.write_text("{}")
    assert desk.judged() == {}
    assert "delete it" in desk.said[0]
    assert len(desk.file.read()) == 2
    desk.file.path.unlink()
    desk.file.path.mkdir()
    assert desk.judged() == {}


def test_renewing_changes_what_the_line_is_told(desk: Desk) -> None:
    async def live() -> None:
        opened = desk.opened()
        await opened.judge(POOLS, header(100))
        await opened.renew(header(174))
        assert len(desk.inspector.asked) == 2
        desk.inspector.answers[DAI.address] = GROWS
        for number in (175, 176, 177):
            await opened.renew(header(number))
        assert desk.tokens_asked[2:] == [USDC.address, DAI.address]
        assert opened.why_unfit(USDC.address, 276) == "unknown: its verdict counted until block 275"
        assert opened.why_unfit(USDC.address, 275) == ""
        assert opened.why_unfit(DAI.address, 177) == "rebases: it grows"
        assert opened.why_unfit(Address("0x" + "99" * 20), 177) == "unknown: it was not checked"

    asyncio.run(live())
    assert {one.token: one.is_fit for one in desk.file.read()} == {USDC.address: True, DAI.address: False}


def test_a_failing_renewal_leaves_the_verdict_until_it_expires_and_holds_up_no_other(desk: Desk) -> None:
    async def live() -> None:
        opened = desk.opened()
        await opened.judge(POOLS, header(100))
        desk.inspector.answers[USDC.address] = BLIND
        for number in (180, 181, 182):
            await opened.renew(header(number))
        assert desk.tokens_asked[2:] == [USDC.address, DAI.address, USDC.address]
        assert opened.why_unfit(USDC.address, 200) == ""
        assert opened.why_unfit(USDC.address, 201)
        desk.inspector.is_gone = True
        with pytest.raises(NodeUnreachableError):
            await opened.renew(header(190))
        assert opened.why_unfit(USDC.address, 200) == ""

    asyncio.run(live())


def test_renewals_are_made_beside_the_trading_one_at_a_time_and_a_failed_one_is_only_told(desk: Desk) -> None:
    async def live() -> None:
        opened = desk.opened()
        await opened.judge(POOLS, header(100))
        opened.begin_renewal(header(174))  # nothing is due
        await opened.close()
        assert len(desk.inspector.asked) == 2
        opened.begin_renewal(header(180))
        opened.begin_renewal(header(181))  # the first has not begun yet
        await until(lambda: len(desk.inspector.asked) > 2, "a renewal")
        await opened.close()
        assert len(desk.inspector.asked) == 3
        desk.inspector.is_gone = True
        opened.begin_renewal(header(190))
        await until(lambda: desk.inspector.times_gone, "a renewal that fails")
        await opened.close()
        assert opened.why_unfit(DAI.address, 200) == ""

    asyncio.run(live())


def test_a_verdict_says_what_was_found() -> None:
    fit = TokenVerdict(USDC.address, is_fit=True, lie=None, detail="", checked_block=1, expires_block=2)
    assert fit.why == "fit"
    assert msgspec.structs.replace(fit, lie=Lie.RETURNS_NOTHING, detail="silent").why == "returns_nothing: silent"


def test_the_native_coin_cannot_lie_and_proves_no_other_token(desk: Desk) -> None:
    opened = desk.opened()
    assert opened.why_unfit(ZERO_ADDRESS, 100) == ""
    asyncio.run(opened.judge(POOLS, header(100)))
    assert all(ZERO_ADDRESS not in money for _, money in desk.inspector.asked)
