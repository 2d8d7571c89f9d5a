"""What a block's header commits to of its receipts: outlines and logs in, the receipts root out.

A header's bloom filter cannot tell a tail of logs whose addresses and topics all occur earlier in the block; the root
of its receipts tells every byte of every log. A receipt is

    rlp([status, cumulative_gas_used, bloom, [[address, [topics], data], ...]])

behind one byte of its transaction's type, except for type 0; the trie's keys are the transactions' places, as RLP.
Types 0 to 4 have this form, and status is that of Byzantium and later. Types of single chains (deposits of the OP
stack, state syncs of Polygon, Arbitrum's own) may not: `headrace.model.chain_rules` says where the root cannot be told.
Source: Ethereum yellow paper, section 4.4.1; EIP-658, EIP-2718.
"""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.model.address import Hash32
from headrace.model.bloom import logs_bloom
from headrace.model.event import Log
from headrace.model.merkle_trie import trie_root
from headrace.model.rlp import rlp_integer, rlp_list, rlp_string

TYPE_MAX = 4  # EIP-7702


class ReceiptOutline(msgspec.Struct, frozen=True):
    """A receipt without its logs; `kind` is the transaction's type by EIP-2718."""

    tx_hash: Hash32
    kind: int
    is_success: bool
    cumulative_gas_used: int


def receipts_root(outlines: Sequence[ReceiptOutline], logs: Sequence[Log]) -> Hash32 | None:
    """The receipts root of a block of these receipts with these logs; None where a log is of none of them.

    Both are in the block's order.
    """
    logs_of = logs_by_transaction(outlines, logs)
    if logs_of is None:
        return None
    return root_of_encoded([encoded_receipt(one, logs_of[one.tx_hash]) for one in outlines])


def logs_by_transaction(outlines: Sequence[ReceiptOutline], logs: Sequence[Log]) -> Mapping[Hash32, list[Log]] | None:
    """Each receipt's logs, in order; None where a log is of none of them."""
    logs_of: dict[Hash32, list[Log]] = {outline.tx_hash: [] for outline in outlines}
    for log in logs:
        if log.tx_hash not in logs_of:
            return None
        logs_of[log.tx_hash].append(log)
    return logs_of


def root_of_encoded(receipts: Sequence[bytes]) -> Hash32:
    """The root of receipts that are encoded already, in the block's order."""
    return trie_root({rlp_integer(i): receipt for i, receipt in enumerate(receipts)})


def encoded_receipt(outline: ReceiptOutline, logs: Sequence[Log]) -> bytes:
    """One receipt with these logs, as the trie holds it."""
    body = rlp_list(
        (
            rlp_integer(int(outline.is_success)),
            rlp_integer(outline.cumulative_gas_used),
            rlp_string(logs_bloom(logs)),
            rlp_list(_log(log) for log in logs),
        )
    )
    return bytes([outline.kind]) + body if outline.kind else body


def _log(log: Log) -> bytes:
    topics = rlp_list(rlp_string(bytes.fromhex(topic[2:])) for topic in log.topics)
    address, data = bytes.fromhex(log.address[2:]), bytes.fromhex(log.data[2:])
    return rlp_list((rlp_string(address), topics, rlp_string(data)))
