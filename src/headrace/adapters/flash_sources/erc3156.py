"""Flash loans of any lender of ERC-3156, such as Maker's DssFlash, provided that its fee is proportional.

The standard leaves the fee to the lender: `flashFee(token, amount)` may be anything. A quote must know it for every
amount without asking, so it is read at 10^18 units, which gives the rate with 18 decimals, then at amounts between one
unit and the most that is lent. Where one rate and one rounding (down, half up or up) explain every answer, they are the
fee; where none does (a fee with a floor, a flat part, steps, a finer rate), nothing is borrowed of that token.

What is lent is the lender's `maxFlashLoan`, up to what a plan can hold. A lender that is itself a venue of the plan is
passed over; the standard does not say what else a lender bars. Source: EIP-3156.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.adapters.flash_sources.liquidity import read_words, word_of
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.executor_plan import Funding
from headrace.ports.chain import Call, Chain

_MAX_FLASH_LOAN = bytes.fromhex("613255ab")
_FLASH_FEE = bytes.fromhex("d9d98ce4")
_WORD = 32
_ONE = 10**18
_LOAN_UNITS_MAX = (1 << 128) - 1  # the width of a plan's amount; beyond it a lender's own product may overflow
_PROBE_BITS = 11  # so far apart are the amounts at which a fee is read: twelve of them for the largest loan
_GAS = 29_000  # contracts/README.md, of a lender that holds what it lends


class ProportionalFee(msgspec.Struct, frozen=True):
    """A rate with 18 decimals; `addend` of 10^18 are added before the division, which rounds down."""

    rate: int
    addend: int

    def of(self, amount_units: int) -> int:
        """What a loan costs."""
        return (amount_units * self.rate + self.addend) // _ONE


class Erc3156FlashLoan:
    """One lender of the configured tokens."""

    funding = Funding.ERC3156_FLASH_LOAN
    gas = _GAS

    def __init__(self, lender: Address, tokens: Sequence[Address]) -> None:
        """Nothing can be borrowed before the first `refresh`."""
        self.lender = lender
        self._tokens = tuple(tokens)
        self._available: dict[Address, int] = {}
        self._fees: dict[Address, ProportionalFee] = {}

    def is_locked_by(self, pools: tuple[PoolId, ...], venues: tuple[Address, ...]) -> bool:  # noqa: ARG002 - port
        """Whether a step trades with the lender."""
        return self.lender in venues

    def fee_units(self, token: Address, amount_units: int) -> int | None:
        """The lender's fee as it rounds."""
        fee = self._fees.get(token)
        return None if fee is None or amount_units > self._available[token] else fee.of(amount_units)

    def why_closed(self, token: Address) -> str:
        """That the lender would lend, but for a fee that is not known at every amount."""
        is_odd = self._available.get(token) and token not in self._fees
        return f"the fee of {self.lender} for {token} is not proportional to the loan" if is_odd else ""

    async def refresh(self, chain: Chain, block: Hash32) -> None:
        """Read what is lent, and what it costs; a token whose fee is not proportional cannot be borrowed."""
        calls = [Call(self.lender, _MAX_FLASH_LOAN + word_of(token)) for token in self._tokens]
        answers = zip(self._tokens, await read_words(chain, calls, block), strict=True)
        available = {token: min(words[0], _LOAN_UNITS_MAX) for token, words in answers if words[0]}
        rates = await self._told(chain, [(token, _ONE) for token in available], block)
        asked = {token: _probes(rate, available[token]) for (token, _), rate in rates.items() if rate is not None}
        told = await self._told(chain, [(token, units) for token, probes in asked.items() for units in probes], block)
        fees = {
            token: fitting_fee(rates[token, _ONE] or 0, {units: told[token, units] for units in probes})
            for token, probes in asked.items()
        }
        self._available = available
        self._fees = {token: fee for token, fee in fees.items() if fee is not None}

    async def _told(
        self, chain: Chain, asked: Sequence[tuple[Address, int]], block: Hash32
    ) -> dict[tuple[Address, int], int | None]:
        """Fees by token and amount; None where the lender tells none."""
        calls = [
            Call(self.lender, _FLASH_FEE + word_of(token) + units.to_bytes(_WORD, "big")) for token, units in asked
        ]
        answers = await chain.call_many(calls, block)
        return {
            one: int.from_bytes(answer, "big") if answer is not None and len(answer) == _WORD else None
            for one, answer in zip(asked, answers, strict=True)
        }


def _probes(rate: int, most: int) -> Iterable[int]:
    """Amounts that tell roundings apart, the least fee and the least that rounds half up, and others of every size."""
    half = -(-_ONE // (2 * rate)) if rate else 1
    return sorted({1, min(half, most), *(most >> shift for shift in range(0, most.bit_length(), _PROBE_BITS))})


def fitting_fee(rate: int, told: Mapping[int, int | None]) -> ProportionalFee | None:
    """The fee of this rate that explains everything that was told, if one does."""
    fees = (ProportionalFee(rate, addend) for addend in (0, _ONE // 2, _ONE - 1))
    return next((fee for fee in fees if all(fee.of(units) == units_told for units, units_told in told.items())), None)
