"""Curve: factories and registries whose events name no pool; the list that each keeps does.

`pool_count()` and `pool_list(index)` are documented alike for the registry of pools by Curve itself, the factories of
stable and StableSwap-NG pools and the MetaRegistry over all of them; the crypto factories of all generations are said
to have them too. Factories only ever append. A registry's owner may remove a pool, which puts the last one in its
place: that shows when the list is read on (`headrace.pipeline.discovery.lister`). A list may hold pools of kinds that
no folder quotes: `describe` refuses those by name.

The first registry of all took int128 indices under another selector; it was replaced in 2020 and is not read.

Source: docs.curve.finance (Stableswap-NG integration, MetaRegistry), curve.readthedocs.io (registry, factory). Written
from those pages; nothing here was compared with a deployed contract.
"""

from headrace.adapters.protocols.words import call_data
from headrace.model.address import Address
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

_COUNT = call_data("pool_count()")


class CurvePoolList:
    """Implements `headrace.ports.factory.PoolList`."""

    topics = ()
    proof = "pool_list"

    def __init__(self, protocol_id: ProtocolId, address: Address) -> None:
        """Take the factory or registry, and the folder that its pools are read by."""
        self.protocol_id = protocol_id
        self.address = address

    @property
    def count_question(self) -> Call:
        """`pool_count`."""
        return Call(self.address, _COUNT)

    def pool_question(self, index: int) -> Call:
        """`pool_list`."""
        return Call(self.address, call_data("pool_list(uint256)", index))
