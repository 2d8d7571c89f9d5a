"""Lenders on one chain, each with as much as its source must say that it can lend."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from tests.conformance.flash_sources.borrowing import Borrower
from tests.conformance.protocols.balancer_v3_market import BalancerV3Market, PoolTerms
from tests.conformance.protocols.local_chain import LocalChain

from headrace.adapters.flash_sources.balancer_v3 import BalancerV3FlashLoan
from headrace.adapters.flash_sources.erc3156 import Erc3156FlashLoan
from headrace.adapters.flash_sources.morpho import MorphoFlashLoan
from headrace.adapters.flash_sources.uniswap_v4 import UniswapV4FlashLoan
from headrace.devnet.artifacts import Artifact, npm_artifact, own_artifact
from headrace.devnet.third_party import third_party_artifact
from headrace.errors import DevnetError
from headrace.ports.flash_source import FlashSource

MINT_FEE_BPS, LENDER_FEE_BPS = 9, 5
LENT = 10**21 + 7  # of 18 decimals: what each lender has


def built(lock: str, contract: str) -> Artifact:
    try:
        return third_party_artifact(lock, contract)
    except DevnetError as error:
        pytest.skip(f"`make third-party` cannot build {contract}: {error}")


class Lending(NamedTuple):
    """A lender on the chain, a source that has not been read yet, and how much it must be able to lend."""

    borrower: Borrower
    source: FlashSource
    most: int
    fee_bps: int


class Scene:
    """One chain, one Executor, and the lenders as they are asked for."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.token, self.other = [one for one in chain.tokens if chain.decimals[one] == 18]
        self.borrower = Borrower(chain, self.token, self.other)

    def balancer_v3(self) -> Lending:
        """The Vault, with a pool of both tokens, and units that nobody has settled."""
        market = self.vault()
        market.make(PoolTerms((self.token, self.other), (1e3, 1e3), 10**15, weights=(50, 50)))
        most = self.borrower.held(self.token, market.vault)
        self.borrower.deal(self.token, market.vault, most + 5)
        return Lending(self.borrower, BalancerV3FlashLoan(market.vault, [self.token]), most, 0)

    def vault(self) -> BalancerV3Market:
        """A Vault of Balancer v3, where it has been compiled."""
        built("balancer_v3", "Vault")
        return BalancerV3Market(self.chain)

    def uniswap_v4(self) -> Lending:
        types, artifact = ("address",), npm_artifact("@uniswap/v4-core/out/PoolManager.sol/PoolManager.json")
        manager = self.chain.deployer.deploy(artifact, types, self.chain.deployer.sender)
        return self._lent(UniswapV4FlashLoan(manager, [self.token]), 0)

    def morpho(self) -> Lending:
        sender = self.chain.deployer.sender
        morpho = self.chain.deployer.deploy(built("morpho_blue", "Morpho"), ("address",), sender)
        return self._lent(MorphoFlashLoan(morpho, [self.token]), 0)

    def erc3156(self) -> Lending:
        lender = self.chain.deployer.deploy(own_artifact("Erc3156LenderDouble"), ("uint256",), LENDER_FEE_BPS)
        return self._lent(Erc3156FlashLoan(lender, [self.token]), LENDER_FEE_BPS)

    def minting_token(self) -> Lending:
        supply = 2**256 - 1 - LENT
        artifact = own_artifact("MintingToken")
        token = self.chain.deployer.deploy(artifact, ("uint256", "uint256"), supply, MINT_FEE_BPS)
        self.chain.deployer.flush()
        source = Erc3156FlashLoan(token, [self.token, token])
        return Lending(Borrower(self.chain, token, self.other), source, LENT, MINT_FEE_BPS)

    def _lent(self, source: FlashSource, fee_bps: int) -> Lending:
        self.chain.deployer.flush()
        self.borrower.deal(self.token, source.lender, LENT)
        return Lending(self.borrower, source, LENT, fee_bps)


def made(scene: Scene, make: Callable[[Scene], Lending]) -> Lending:
    one = make(scene)
    assert one.source.fee_units(one.borrower.token, 1) is None
    one.borrower.refreshed(one.source)
    return one
