"""What is read between blocks: that a lender closes, or opens again, is told once."""

import asyncio
from fractions import Fraction
from types import SimpleNamespace

from structlog.testing import capture_logs
from tests.support.intents import header
from tests.support.market import WETH, Lender

from headrace.app.places import Places
from headrace.model.address import Hash32
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Chain


class Moody(Lender):
    """Closed for as long as `why` says so."""

    def __init__(self) -> None:
        super().__init__(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(0))
        self.why = ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        del chain, block
        self._closed = self.why


async def nothing(*_asked: object) -> None:
    """Prices and fees, which are no matter here."""


def test_that_a_lender_closes_and_opens_again_is_told_once_each() -> None:
    lender, reads = Moody(), SimpleNamespace(refresh=nothing)
    desk = SimpleNamespace(begin_renewal=lambda _head: None)
    config = SimpleNamespace(chain=SimpleNamespace(start_token_addresses=(WETH.address,)))
    fields: dict[str, object] = dict.fromkeys(Places.__struct_fields__)
    fields |= {"config": config, "sources": (lender,), "oracle": reads, "l1_fee": reads, "token_desk": desk}
    places = Places(**fields)  # type: ignore[arg-type]  # stand-ins
    with capture_logs() as told:
        for why in ("", "is paused", "is paused", "is not active", "", ""):
            lender.why = why
            asyncio.run(places.refresh(header(10)))
    assert [(line["event"], line.get("why") or line["by"]) for line in told] == [
        ("lender closed", "is paused"),
        ("lender closed", "is not active"),
        ("lender no longer closed", "is paused"),
        ("lender no longer closed", "is not active"),
    ]
