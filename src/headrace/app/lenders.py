"""Sources of flash loans from the venues that a configuration lists as lenders."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from headrace.adapters.flash_sources.aave_v3 import AaveV3FlashLoan
from headrace.adapters.flash_sources.balancer_v2 import BalancerV2FlashLoan
from headrace.adapters.flash_sources.balancer_v3 import BalancerV3FlashLoan
from headrace.adapters.flash_sources.erc3156 import Erc3156FlashLoan
from headrace.adapters.flash_sources.morpho import MorphoFlashLoan
from headrace.adapters.flash_sources.uniswap_v3 import UniswapV3Flash
from headrace.adapters.flash_sources.uniswap_v4 import UniswapV4FlashLoan
from headrace.app.config.tree import Config
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.flash_source import FlashSource

_BY_CONTRACT: Mapping[ProtocolId, Callable[[Address, Sequence[Address]], FlashSource]] = MappingProxyType(
    {
        ProtocolId("aave_v3"): AaveV3FlashLoan,
        ProtocolId("balancer_v2"): BalancerV2FlashLoan,
        ProtocolId("balancer_v3"): BalancerV3FlashLoan,
        ProtocolId("uniswap_v4"): UniswapV4FlashLoan,
        ProtocolId("morpho"): MorphoFlashLoan,
        ProtocolId("erc3156"): Erc3156FlashLoan,
    }
)


def flash_sources(config: Config, chain_name: str, pools: Sequence[Pool]) -> tuple[FlashSource, ...]:
    """The listed lenders of a chain, in their order; of Uniswap v3 every one of its `pools`.

    All but the pools lend the chain's start tokens, which are what cycles begin with.
    """
    tokens = config.chains[chain_name].start_token_addresses
    sources: list[FlashSource] = []
    for name in config.execution.flash_loan.lenders:
        venue = config.protocols[chain_name][name]
        make, contract = _BY_CONTRACT.get(venue.protocol), venue.pool or venue.vault
        if make is not None and contract is not None:
            sources.append(make(contract, tokens))
        else:
            sources.extend(UniswapV3Flash(pool) for pool in pools if pool.venue == name)
    return tuple(sources)
