import pytest
from tests.support.config_sample import FILE, sample, spoiled

from headrace.adapters.flash_sources.aave_v3 import AaveV3FlashLoan
from headrace.adapters.flash_sources.balancer_v2 import BalancerV2FlashLoan
from headrace.adapters.flash_sources.balancer_v3 import BalancerV3FlashLoan
from headrace.adapters.flash_sources.erc3156 import Erc3156FlashLoan
from headrace.adapters.flash_sources.morpho import MorphoFlashLoan
from headrace.adapters.flash_sources.uniswap_v3 import UniswapV3Flash
from headrace.adapters.flash_sources.uniswap_v4 import UniswapV4FlashLoan
from headrace.app.config.checks import _LENDERS
from headrace.app.config.load import parse_config
from headrace.app.config.tree import Config
from headrace.app.lenders import flash_sources
from headrace.errors import ConfigError
from headrace.model.address import Address, PoolId
from headrace.model.executor_plan import Funding
from headrace.model.pool import Pool, ProtocolId

ADDRESSES = {name: Address("0x" + f"{n:02x}" * 20) for n, name in enumerate(("v3", "v4", "morpho", "dai"), 0xA1)}
VENUES = f"""\
      balancer_v3:
        vault: "{ADDRESSES["v3"]}"
      uniswap_v4:
        vault: "{ADDRESSES["v4"]}"
      morpho:
        pool: "{ADDRESSES["morpho"]}"
      dss_flash:
        protocol: erc3156
        pool: "{ADDRESSES["dai"]}"
      aave_v3:
"""
POOL = Pool(
    PoolId(Address("0x" + "b1" * 20)),
    Address("0x" + "b1" * 20),
    ProtocolId("uniswap_v3"),
    "uniswap_v3",
    tuple(ADDRESSES.values())[:2],
    fee_pips=500,
)


def config_with(lenders: str) -> Config:
    text = spoiled("      aave_v3:\n", VENUES).replace("[balancer_v2, aave_v3]", lenders)
    return parse_config(text, FILE)


def test_every_venue_that_lends_becomes_a_source_in_the_order_of_the_file() -> None:
    config = config_with("[dss_flash, morpho, uniswap_v4, balancer_v3, uniswap_v3, balancer_v2, aave_v3]")
    sources = flash_sources(config, "ethereum", [POOL])
    assert [type(source) for source in sources] == [
        Erc3156FlashLoan,
        MorphoFlashLoan,
        UniswapV4FlashLoan,
        BalancerV3FlashLoan,
        UniswapV3Flash,
        BalancerV2FlashLoan,
        AaveV3FlashLoan,
    ]
    ours = [ADDRESSES[name] for name in ("dai", "morpho", "v4", "v3")]
    assert [source.lender for source in sources[:5]] == [*ours, POOL.address]
    assert {source.funding for source in sources} == {funding for funding in Funding if funding.is_loan}


def test_the_protocols_that_may_be_listed_are_those_that_lend() -> None:
    assert len(_LENDERS) == len([funding for funding in Funding if funding.is_loan])
    assert flash_sources(sample(), "ethereum", [])[0].funding is Funding.BALANCER_V2_FLASH_LOAN


@pytest.mark.parametrize("name", ["morpho", "erc3156"])
def test_a_lender_without_its_contract_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"`pool` is missing and has no default: {name} needs it"):
        parse_config(spoiled("      aave_v3:\n", f"      {name}: {{}}\n      aave_v3:\n"), FILE)


def test_a_lender_that_is_no_exchange_has_no_pools() -> None:
    with pytest.raises(ConfigError, match="morpho has no `oracle`: remove it"):
        parse_config(spoiled("      aave_v3:\n", "      morpho:\n"), FILE)
