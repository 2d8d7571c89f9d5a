"""Every protocol that there is a folder for: the one list."""

from collections.abc import Mapping
from types import MappingProxyType

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2_stable import BalancerV2Stable
from headrace.adapters.protocols.balancer_v3 import BalancerV3
from headrace.adapters.protocols.curve_cryptoswap import CurveCryptoSwap
from headrace.adapters.protocols.curve_stableswap import CurveStableswap
from headrace.adapters.protocols.solidly import Solidly
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.protocols.uniswap_v4 import UniswapV4, UniswapV4Venue
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX

_NO_FEES: Mapping[str, int] = MappingProxyType({})
_NO_MANAGERS: Mapping[str, UniswapV4Venue] = MappingProxyType({})


def every_dex(
    fee_pips_by_venue: Mapping[str, int] = _NO_FEES, managers: Mapping[str, UniswapV4Venue] = _NO_MANAGERS
) -> dict[ProtocolId, DEX]:
    """A plug-in of each protocol.

    Only describing a new pool needs the fees, of pairs that do not tell theirs, and the managers, of Uniswap v4.
    """
    dexes: list[DEX] = [
        UniswapV2(fee_pips_by_venue),
        UniswapV3(),
        UniswapV4(managers),
        BalancerV2(),
        BalancerV2Stable(),
        BalancerV3(),
        CurveStableswap(),
        CurveCryptoSwap(),
        Solidly(fee_pips_by_venue),
    ]
    return {dex.protocol_id: dex for dex in dexes}
