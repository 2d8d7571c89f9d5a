"""A market file written: lines in the order in which a reader wants them, the same content always the same bytes."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from headrace.adapters.market_files.container import being_written, create
from headrace.adapters.market_files.lines import (
    VERSION,
    BlockLine,
    EndLine,
    HeaderLine,
    Line,
    LogLine,
    PoolLine,
    PriceLine,
    TokenLine,
    write_line,
)
from headrace.adapters.protocols.document_values import HexData, RawDocument
from headrace.model.address import Address, ChainId
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.model.token import Token
from headrace.ports.oracle import Price
from headrace.ports.pool import DEX, PoolState


class MarketWriter(AbstractContextManager["MarketWriter"]):
    """Writes beside the file and moves it into place when all is written; what fails leaves the old file as it was.

    With `is_followed` lines go to the file itself and are flushed one by one. Its end line is written whatever ended
    it, because what stands before is whole; only a crash, or a line that could not be written, leaves none. So a
    reader knows a file that was cut from one that ended.
    """

    def __init__(self, path: Path, dexes: Mapping[ProtocolId, DEX], *, is_followed: bool = False) -> None:
        self._path = path
        self._place = path if is_followed else being_written(path)
        self._dexes = dexes
        self._is_followed = is_followed
        self._stream = create(self._place)
        self._count = 0
        self._is_torn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_kept = kind is None or self._is_followed
        try:
            if is_kept and not self._is_torn:
                self.line(EndLine(lines=self._count))
        finally:
            self._stream.close()
        if self._is_followed:
            return
        if is_kept:
            self._place.replace(self._path)
        else:
            self._place.unlink()

    def line(self, line: Line) -> None:
        """Any line."""
        self._is_torn = True  # until all of it is written
        self._stream.write(write_line(line))
        if self._is_followed:
            self._stream.flush()
        self._is_torn = False
        self._count += 1

    def header(self, chain_id: ChainId, at: BlockHeader, source: str) -> None:
        """The first line."""
        self.line(
            HeaderLine(
                version=VERSION,
                chain_id=chain_id,
                number=at.number,
                timestamp=at.timestamp,
                hash=at.hash,
                parent_hash=at.parent_hash,
                base_fee_wei=at.base_fee_wei,
                gas_used=at.gas_used,
                gas_limit=at.gas_limit,
                coinbase=at.coinbase,
                has_end=True,
                source=source,
            )
        )

    def tokens(self, tokens: Iterable[Token]) -> None:
        """A line for each token."""
        for token in tokens:
            self.line(TokenLine(address=token.address, decimals=token.decimals, symbol=token.symbol))

    def state(self, state: PoolState, as_of: int | None = None) -> None:
        """A pool and its state."""
        pool = state.pool
        self.line(
            PoolLine(
                id=pool.id,
                protocol=pool.protocol,
                tokens=pool.tokens,
                state=RawDocument(self._dexes[pool.protocol].state_to_document(state)),
                address=None if pool.address == Address(pool.id) else pool.address,
                venue="" if pool.venue == pool.protocol else pool.venue,
                fee_pips=pool.fee_pips,
                as_of=as_of,
            )
        )

    def block(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        """A block and all its logs."""
        self.line(
            BlockLine(
                number=header.number,
                hash=header.hash,
                parent_hash=header.parent_hash,
                timestamp=header.timestamp,
                logs=tuple(
                    LogLine(address=log.address, topics=log.topics, data=HexData(log.data), tx_hash=log.tx_hash)
                    for log in logs
                ),
                base_fee_wei=header.base_fee_wei,
                gas_used=header.gas_used,
                gas_limit=header.gas_limit,
                coinbase=header.coinbase,
                logs_bloom=HexData("0x" + header.logs_bloom.hex()),
            )
        )

    def price(self, token: Address, price: Price) -> None:
        """What the oracle says from here on."""
        self.line(PriceLine(token=token, usd_pico=price.usd_pico, updated_at=price.updated_at))
