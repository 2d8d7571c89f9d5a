"""A market file read: every line by itself, so that a bad one costs its pool and no other.

As a whole a file is refused where nobody can say what is missing or meant: its first line is no header, the version is
another, it is of another chain than was asked for, or it is cut short.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path

import msgspec

from headrace.adapters.market_files.block_order import order_of
from headrace.adapters.market_files.cases import swap_case
from headrace.adapters.market_files.container import read_lines
from headrace.adapters.market_files.file_blocks import block_of, header_of, lone_log
from headrace.adapters.market_files.lines import (
    VERSION,
    BlockLine,
    EndLine,
    ExpectedStateLine,
    HeaderLine,
    Line,
    LoneLogLine,
    PoolLine,
    PriceLine,
    SwapLine,
    TokenLine,
    read_line,
)
from headrace.adapters.market_files.market_file import (
    LeftOut,
    MarketFile,
    RecordedBlock,
    StateCase,
    SwapCase,
    TokenPrice,
    token_without_line,
)
from headrace.adapters.protocols.document_values import Unfit, first_negative
from headrace.errors import MalformedPoolError, MarketFileError
from headrace.model.address import Address, ChainId, PoolId
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.bloom import BLOOM_BYTES
from headrace.model.pool import Pool, ProtocolId
from headrace.model.token import Token
from headrace.ports.oracle import Price
from headrace.ports.pool import DEX, DecimalsDEX, PoolState

DECIMALS_MAX = 36
_FEE_PIPS_MAX = 1_000_000
_FEE_IN_POOL = frozenset({"uniswap_v2", "uniswap_v3", "uniswap_v4"})
_CUT = (
    "it is cut short: its end is missing. Copy it again; where its writer died and what is there is all there is, add"
    ' the line {{"kind": "end", "lines": "{}"}}'
)
_POOL_NAMED = re.compile(rb'"(?:id|pool)"\s*:\s*"(0x[0-9a-fA-F]{1,64})')


def read_market(path: Path, dexes: Mapping[ProtocolId, DEX], chain_id: int | None = None) -> MarketFile:
    """Read a whole file; with `chain_id` it must be of that chain.

    Raises:
        MarketFileError: the file is of no use as a whole.
    """
    reading = _Reading(path, dexes)
    for number, text in read_lines(path):
        reading.take(number, text)
        if reading.header is not None and chain_id not in {None, reading.header.chain_id}:
            there = f"it is of chain {reading.header.chain_id}, not of chain {chain_id}: name the other chain's file"
            raise MarketFileError(str(path), there, number)
    return reading.finished()


class _Reading:
    """The lines read so far."""

    def __init__(self, path: Path, dexes: Mapping[ProtocolId, DEX]) -> None:
        self.header: HeaderLine | None = None
        self._path = path
        self._dexes = dexes
        self._is_ended = False
        self._count = 0
        self._tokens: dict[Address, Token] = {}
        self._bad_tokens: dict[Address, int] = {}
        self._token_lines: dict[Address, int] = {}
        self._states: dict[PoolId, PoolState] = {}
        self._lines_of: dict[PoolId, int] = {}
        self._as_of: dict[PoolId, int] = {}
        self._swaps: list[SwapCase] = []
        self._state_cases: list[StateCase] = []
        self._blocks: list[RecordedBlock] = []
        self._prices: list[TokenPrice] = []
        self._left_out: list[LeftOut] = []

    def take(self, number: int, text: bytes) -> None:
        if self._is_ended:
            raise MarketFileError(str(self._path), "there is a line behind the end: were two files joined?", number)
        try:
            line = read_line(text.removeprefix(BOM_UTF8) if self.header is None else text)
        except Unfit as error:
            self._unread(number, text, error)
            return
        if (self.header is None) != isinstance(line, HeaderLine):
            raise MarketFileError(str(self._path), "the first line, and no other, is the header", number)
        try:
            self._enter(number, line)
        except MalformedPoolError as error:
            self._left_out.append(LeftOut(number, error.pool, error.field, str(error)))
        except Unfit as error:
            self._left_out.append(_unfit(number, text, error))
        self._count += 1

    def finished(self) -> MarketFile:
        if self.header is None:
            raise MarketFileError(str(self._path), "it is empty: a market file begins with a header")
        if self.header.has_end and not self._is_ended:
            raise MarketFileError(str(self._path), _CUT.format(self._count))
        self._leave_out_bad_tokens()
        self._leave_out_contradicted()
        chain_id = ChainId(self.header.chain_id)
        start = header_of(self.header, bytes(BLOOM_BYTES))
        order = order_of(start, self._blocks)
        used = {token for state in self._states.values() for token in state.pool.tokens}
        return MarketFile(
            name=str(self._path),
            chain_id=chain_id,
            header=start,
            source=self.header.source,
            tokens={token: token_without_line(chain_id, token) for token in sorted(used)} | self._tokens,
            states=tuple(self._states.values()),
            as_of=self._as_of,
            swaps=tuple(self._swaps),
            blocks=tuple(self._blocks),
            prices=tuple(self._prices),
            left_out=tuple(sorted(self._left_out, key=lambda one: one.line)),
            state_cases=tuple(self._state_cases),
            disorder=order.disorder,
            gaps=order.gaps,
            has_end=self._is_ended,
        )

    def _unread(self, number: int, text: bytes, error: Unfit) -> None:
        pool = _pool_named(text)
        if self.header is None:
            cure = "`headrace market import` converts what others recorded"
            why = f"it begins with no header of a market file ({error.why}); {cure}"
            raise MarketFileError(str(self._path), why, number)
        if error.field == "line" and not text.endswith(b"\n"):
            place = f" in the middle of pool {pool}" if pool else ""
            raise MarketFileError(str(self._path), f"it is cut short{place}: copy or write it again", number)
        self._left_out.append(_unfit(number, text, error))
        self._count += 1

    def _enter(self, number: int, line: Line) -> None:
        match line:
            case HeaderLine():
                self._enter_header(number, line)
            case TokenLine():
                self._enter_token(number, line)
            case PoolLine():
                self._enter_pool(number, line)
            case BlockLine() | LoneLogLine():
                self._enter_block(number, line)
            case SwapLine() | ExpectedStateLine():
                self._enter_case(number, line)
            case PriceLine():
                self._enter_price(line)
            case EndLine():
                self._is_ended = True
                if line.lines != self._count:
                    cut = f"{self._count} lines stand before the end, which counts {line.lines}: copy it again"
                    raise MarketFileError(str(self._path), cut, number)

    def _enter_header(self, number: int, line: HeaderLine) -> None:
        if line.version != VERSION:
            other = f"it is of version {line.version} of the format, this release reads version {VERSION}: convert it"
            raise MarketFileError(str(self._path), other, number)
        if line.chain_id <= 0 or line.number < 0 or line.timestamp < 0:
            raise MarketFileError(str(self._path), "chain_id, number and timestamp are not negative", number)
        self.header = line

    def _enter_token(self, number: int, line: TokenLine) -> None:
        assert self.header is not None, "the header is first"
        if not 0 <= line.decimals <= DECIMALS_MAX:
            self._bad_tokens[line.address] = number
            raise Unfit("decimals", f"token {line.address}: {line.decimals} is not in 0 to {DECIMALS_MAX}")
        symbol = line.symbol or line.address[:10]
        token = Token(ChainId(self.header.chain_id), line.address, symbol, line.decimals)
        known = self._tokens.setdefault(line.address, token)
        if known.decimals != token.decimals:
            self._bad_tokens[line.address] = number
        self._token_lines.setdefault(line.address, number)
        if known is not token:
            raise Unfit("address", f"token {line.address} is listed twice")

    def _enter_pool(self, number: int, line: PoolLine) -> None:
        assert self.header is not None, "the header is first"
        if line.chain_id not in {None, self.header.chain_id}:
            raise MalformedPoolError(line.id, "chain_id", f"it is a pool of chain {line.chain_id}")
        state = self._state(line)
        if self._blocks:
            self._require_decimals(state)
            last = self._blocks[-1]
            self._blocks[-1] = msgspec.structs.replace(last, states=(*last.states, state))
            return
        if line.id in self._lines_of:
            raise MalformedPoolError(line.id, "id", f"it is listed twice, first on line {self._lines_of[line.id]}")
        if line.as_of is not None and not 0 <= line.as_of <= self.header.number:
            raise MalformedPoolError(line.id, "as_of", f"{line.as_of} is not a block up to {self.header.number}")
        self._lines_of[line.id] = number
        self._states[line.id] = state
        if line.as_of not in {None, self.header.number}:
            self._as_of[line.id] = line.as_of

    def _state(self, line: PoolLine) -> PoolState:
        dex = self._dexes.get(ProtocolId(line.protocol))
        if dex is None:
            known = ", ".join(sorted(self._dexes))
            raise MalformedPoolError(line.id, "protocol", f"no protocol {line.protocol!r}; there are {known}")
        if line.address is None and len(line.id) != len("0x") + 40:
            raise MalformedPoolError(line.id, "address", "it is missing: the contract that emits the pool's logs")
        fee_pips = line.fee_pips
        if fee_pips is None and line.protocol in _FEE_IN_POOL:
            raise MalformedPoolError(line.id, "fee_pips", "it is missing: write the pool's fee in millionths")
        if fee_pips is not None and not 0 <= fee_pips <= _FEE_PIPS_MAX:  # a pool of v4 may take everything
            raise MalformedPoolError(line.id, "fee_pips", f"{fee_pips} is not in 0 to {_FEE_PIPS_MAX}")
        address = Address(line.id) if line.address is None else line.address
        pool = Pool(line.id, address, dex.protocol_id, line.venue or line.protocol, line.tokens, fee_pips or 0)
        negative = first_negative(line.state)
        if negative:
            raise MalformedPoolError(line.id, *negative)
        return dex.state_from_document(pool, line.state, self._known_after(line))

    def _known_after(self, line: PoolLine) -> BlockContext:
        """The block after which a pool's line holds; of one before the header's only the number is known."""
        at = self._last()
        number = at.number if line.as_of is None or self._blocks else line.as_of
        return BlockContext(number, at.timestamp, at.base_fee_wei, at.coinbase)

    def _last(self) -> HeaderLine | BlockHeader:
        """The last block before this line."""
        assert self.header is not None, "the header is first"
        return self._blocks[-1].header if self._blocks else self.header

    def _enter_block(self, number: int, line: BlockLine | LoneLogLine) -> None:
        if isinstance(line, BlockLine):
            self._blocks.append(block_of(number, line))
        else:
            self._blocks.append(lone_log(number, line, self._last(), is_first=not self._blocks))

    def _enter_case(self, number: int, line: SwapLine | ExpectedStateLine) -> None:
        if isinstance(line, SwapLine):
            self._swaps.append(swap_case(number, line, self._last(), len(self._blocks)))
        else:
            self._state_cases.append(StateCase(number, line.pool, line.state, self._last().number, len(self._blocks)))

    def _enter_price(self, line: PriceLine) -> None:
        if line.usd_pico <= 0:
            raise Unfit("usd_pico", f"{line.usd_pico} is no price")
        price = TokenPrice(line.token, Price(line.usd_pico, line.updated_at))
        if self._blocks:
            last = self._blocks[-1]
            self._blocks[-1] = msgspec.structs.replace(last, prices=(*last.prices, price))
        else:
            self._prices.append(price)

    def _leave_out_bad_tokens(self) -> None:
        for pool_id, state in list(self._states.items()):
            bad = [token for token in state.pool.tokens if token in self._bad_tokens]
            if bad:
                why = f"pool {pool_id}: tokens: line {self._bad_tokens[bad[0]]} makes {bad[0]} unusable"
                self._left_out.append(LeftOut(self._lines_of[pool_id], pool_id, "tokens", why))
                del self._states[pool_id]
        for token in self._bad_tokens:
            self._tokens.pop(token, None)

    def _leave_out_contradicted(self) -> None:
        for pool_id, state in list(self._states.items()):
            try:
                self._require_decimals(state)
            except MalformedPoolError as error:
                self._left_out.append(LeftOut(self._lines_of[pool_id], pool_id, error.field, str(error)))
                del self._states[pool_id]

    def _require_decimals(self, state: PoolState) -> None:
        """A state and its tokens' lines say the same."""
        dex = self._dexes[state.pool.protocol]
        for token, field, decimals in dex.told_decimals(state) if isinstance(dex, DecimalsDEX) else ():
            known = self._tokens.get(token)
            if known is not None and known.decimals != decimals:
                line = self._token_lines[token]
                why = f"it says that {token} has {decimals} decimals, line {line} says {known.decimals}"
                raise MalformedPoolError(state.pool.id, field, why)


def _unfit(number: int, text: bytes, error: Unfit) -> LeftOut:
    pool = _pool_named(text)
    return LeftOut(number, pool, error.field, f"pool {pool}: {error}" if pool else str(error))


def _pool_named(text: bytes) -> str:
    found = _POOL_NAMED.search(text)
    return found.group(1).decode() if found else ""
