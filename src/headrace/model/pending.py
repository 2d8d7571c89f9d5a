"""Transactions that nodes hold and no block has, and what a chain lets one see of them."""

import msgspec

from headrace.model.address import Address, Hash32


class PendingTransaction(msgspec.Struct, frozen=True):
    """A transaction as a node announced it; fees are per gas.

    `to` is None for a creation. A transaction without EIP-1559 fees bids its gas price as both of them.
    """

    hash: Hash32
    sender: Address
    nonce: int
    to: Address | None
    value_wei: int
    data: bytes
    max_fee_wei: int
    priority_fee_wei: int


class MinedTransaction(msgspec.Struct, frozen=True):
    """What a block says about one of its transactions that ends a pending one."""

    hash: Hash32
    sender: Address
    nonce: int


class RivalCounts(msgspec.Struct, frozen=True):
    """How many pending transactions of others touch the pools of a route, of those that a node announced.

    Attributes:
        certain: touch one of them for certain.
        possible: may, through a router that is not configured; none of them is among the certain.
        listened_seconds: for how long the node had been announcing: what was pending before is not counted.
    """

    certain: int
    possible: int
    listened_seconds: float


class Visibility(msgspec.Struct, frozen=True):
    """Whether a chain's pending transactions can be seen, and what stays hidden even then.

    Attributes:
        is_visible: whether it makes sense to ask a node.
        hidden_because: why not; empty where they can be seen.
        caveats: what the visible ones do not tell: always something.
    """

    is_visible: bool
    hidden_because: str = ""
    caveats: tuple[str, ...] = ()


class _Known(msgspec.Struct, frozen=True):
    name: str
    hidden_because: str = ""
    caveat: str = ""


_PRIVATE = "transactions sent privately to builders or relays never appear; their share is unknown"
_LOCAL = "what other nodes hold and this one has not heard of is missing; its share is unknown"
_SEQUENCER = "one sequencer takes transactions and shows them to nobody before it has ordered them"
_KNOWN = {
    1: _Known("Ethereum", caveat="builders take swaps from wallets and from auctions of order flow past every node"),
    10: _Known("OP Mainnet", _SEQUENCER),
    56: _Known("BNB Smart Chain", caveat="builders offer private endpoints, which wallets use"),
    137: _Known("Polygon PoS", caveat="block producers offer private endpoints"),
    324: _Known("ZKsync Era", _SEQUENCER),
    8453: _Known("Base", _SEQUENCER),
    42161: _Known("Arbitrum One", _SEQUENCER + ", and sells an express lane"),
    59144: _Known("Linea", _SEQUENCER),
    534352: _Known("Scroll", _SEQUENCER),
}


def visibility_of(chain_id: int, *, is_public: bool) -> Visibility:
    """What can be seen on a chain whose configuration says `public_mempool: is_public`.

    A chain that is known to keep its transactions to a sequencer is hidden whatever the configuration says: an empty
    set would be taken for the absence of competitors.
    """
    known = _KNOWN.get(chain_id)
    if known is not None and known.hidden_because:
        return Visibility(is_visible=False, hidden_because=f"{known.name}: {known.hidden_because}")
    if not is_public:
        why = "the configuration says `public_mempool: false`: nodes of this chain are not asked"
        return Visibility(is_visible=False, hidden_because=why)
    caveats = (known.caveat,) if known is not None and known.caveat else ()
    return Visibility(is_visible=True, caveats=(_PRIVATE, _LOCAL, *caveats))
