"""The background audit of receipts, on a connection of its own: its large answers never stand before a block's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.chains.evm.receipts import BlockReceipts
from headrace.app.clock import SystemClock
from headrace.app.config.places import ChainConfig
from headrace.model.address import ChainId
from headrace.pipeline.feed.audit import ReceiptAudit

log = structlog.get_logger("headrace")


@asynccontextmanager
async def open_audit(section: ChainConfig) -> AsyncIterator[ReceiptAudit | None]:
    """An audit that runs while the context lasts; None where the chain's receipts cannot be proven."""
    if not section.rules.are_receipts_provable:
        yield None
        return
    client = NodeClient(EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id)), SystemClock())
    try:
        async with ReceiptAudit(BlockReceipts(client)) as audit:
            yield audit
            log.info("receipts audited", blocks=audit.audited, given_up=audit.given_up)
    finally:
        await client.close()
