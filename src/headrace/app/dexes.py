"""Every protocol that there is a folder for: the one list."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX

_NO_FEES: Mapping[str, int] = MappingProxyType({})


def every_dex(fee_pips_by_venue: Mapping[str, int] = _NO_FEES) -> dict[ProtocolId, DEX]:
    """A plug-in of each protocol; the fees are those of Uniswap v2's forks, which only describing a new pair needs."""
    dexes: list[DEX] = [UniswapV2(fee_pips_by_venue), UniswapV3(), BalancerV2()]
    return {dex.protocol_id: dex for dex in dexes}
