"""Loans taken through the Executor from the lenders' own bytecode: what a source promises is what the chain does.

PoolManager is Uniswap's published bytecode; Vault and Morpho are compiled from their published sources; the lenders of
ERC-3156 are OpenZeppelin's ERC20FlashMint, which lends by minting as Maker's does, and a plain one of this project,
which stands for none in use.
"""

import random
from collections.abc import Callable, Iterator

import pytest
from tests.conformance.flash_sources.lending_scene import MINT_FEE_BPS, Lending, Scene, made
from tests.conformance.protocols.balancer_v3_market import PoolTerms
from tests.conformance.protocols.executed import taken_back
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.uniswap_v4_pools import KEY, PROBE, PROBE_CODE, deploy_uniswap_v4

from headrace.adapters.flash_sources.balancer_v3 import BalancerV3FlashLoan
from headrace.adapters.flash_sources.erc3156 import Erc3156FlashLoan
from headrace.adapters.flash_sources.morpho import MorphoFlashLoan
from headrace.adapters.flash_sources.uniswap_v4 import UniswapV4FlashLoan
from headrace.devnet.abi import encode_call
from headrace.devnet.anvil import Anvil
from headrace.devnet.recipe.tokens import approve_all
from headrace.errors import MalformedAnswerError
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.executor_plan import Funding
from headrace.model.executor_step import BalancerV3Step, SwapStep, UniswapV4Step
from headrace.ports.flash_source import FlashSource

AMOUNTS = 8
SMALL = 10**6
GAS_AMOUNT = 10**20
GAS_SLACK = 1.25  # one figure stands for all lenders of ERC-3156
SEED = 20_261_121
LIQUIDITY = 10**30
PRICE_ONE_X96 = 1 << 96


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield Scene(LocalChain(anvil, rpc))


@pytest.fixture(
    scope="module",
    params=[Scene.balancer_v3, Scene.uniswap_v4, Scene.morpho, Scene.erc3156, Scene.minting_token],
    ids=lambda make: make.__name__,
)
def lending(scene: Scene, request: pytest.FixtureRequest) -> Lending:
    return made(scene, request.param)


def broken_promise(lending: Lending) -> str:
    """What a source promises that the chain does not keep, or the other way round; empty where they agree."""
    borrower, source, most, fee_bps = lending
    if source.fee_units(borrower.token, most) is None or borrower.on_loan(source, most) is None:
        return "the most that can be lent"
    if source.fee_units(borrower.token, most + 1) is not None or borrower.on_loan(source, most + 1) is not None:
        return "one unit more"
    draw = random.Random(SEED)
    for amount in [most, *(int(SMALL * (most / SMALL) ** draw.random()) for _ in range(AMOUNTS))]:
        loan = borrower.on_loan(source, amount)
        assert loan is not None
        paid = borrower.on_own_capital(amount).profit - loan.profit
        assert (paid > 0) == (fee_bps > 0)
        if paid != source.fee_units(borrower.token, amount):
            return "the fee"
    return ""


def test_exactly_what_is_promised_can_be_borrowed_and_the_fee_is_paid_to_the_unit(lending: Lending) -> None:
    assert broken_promise(lending) == ""
    assert lending.source.why_closed(lending.borrower.token) == ""


class BalanceForBooks(MorphoFlashLoan):
    """A Vault of Balancer v3 taken for one that lends its balance."""

    funding = Funding.BALANCER_V3_FLASH_LOAN


class RoundedUp(Erc3156FlashLoan):
    def fee_units(self, token: Address, amount_units: int) -> int | None:
        fee = super().fee_units(token, amount_units)
        return None if fee is None else -(-amount_units * MINT_FEE_BPS // 10_000)


class Forgotten(Erc3156FlashLoan):
    def fee_units(self, token: Address, amount_units: int) -> int | None:
        return None if super().fee_units(token, amount_units) is None else 0


class Miserly(UniswapV4FlashLoan):
    def fee_units(self, token: Address, amount_units: int) -> int | None:
        return super().fee_units(token, amount_units + 1)


@pytest.mark.parametrize(
    ("make", "mutant", "broken"),
    [
        (Scene.balancer_v3, BalanceForBooks, "one unit more"),
        (Scene.minting_token, RoundedUp, "the fee"),
        (Scene.minting_token, Forgotten, "the fee"),
        (Scene.uniswap_v4, Miserly, "the most that can be lent"),
    ],
)
def test_planted_faults_are_seen(
    scene: Scene, make: Callable[[Scene], Lending], mutant: Callable[..., FlashSource], broken: str
) -> None:
    one = made(scene, make)
    wrong = one.borrower.refreshed(mutant(one.source.lender, [one.borrower.token]))
    assert broken_promise(one) == ""
    assert broken_promise(one._replace(source=wrong)) == broken


def test_the_gas_of_a_loan_is_what_the_table_says(lending: Lending) -> None:
    borrower, source, _, _ = lending
    loan = borrower.on_loan(source, GAS_AMOUNT)
    assert loan is not None
    measured = loan.gas_used - borrower.on_own_capital(GAS_AMOUNT).gas_used
    print(source.funding.name, measured)  # noqa: T201 - the figure of contracts/README.md
    assert measured <= source.gas <= measured * GAS_SLACK


def test_a_manager_of_uniswap_v4_that_lends_bars_its_pools(scene: Scene) -> None:
    borrower, chain = scene.borrower, scene.chain
    exchange = deploy_uniswap_v4(chain.deployer)
    low, high = sorted((scene.token, scene.other))
    key = (low, high, 3000, 60, ZERO_ADDRESS)
    approve_all(chain.deployer, (low, high), (exchange.liquidity_router,))
    chain.deployer.transact(exchange.manager, f"initialize({KEY},uint160)", key, PRICE_ONE_X96)
    modify = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
    chain.deployer.transact(exchange.liquidity_router, modify, key, (-887220, 887220, LIQUIDITY, b"\0" * 32), b"")
    chain.deployer.flush()
    through = UniswapV4Step(scene.token, scene.other, exchange.manager, 3000, 60, ZERO_ADDRESS)
    steps: tuple[SwapStep, ...] = (through, borrower.steps[1])
    source = borrower.refreshed(UniswapV4FlashLoan(exchange.manager, [scene.token]))
    assert borrower.on_loan(source, SMALL) is not None
    elsewhere = made(scene, Scene.uniswap_v4).source
    assert borrower.on_loan(elsewhere, SMALL, steps) is not None
    assert not elsewhere.is_locked_by((through.pool_id,), (exchange.manager,))
    assert borrower.on_loan(source, SMALL, steps) is None
    assert source.is_locked_by((through.pool_id,), (exchange.manager,))


def test_a_manager_of_uniswap_v4_lends_what_128_signed_bits_hold(scene: Scene) -> None:
    one, most = made(scene, Scene.uniswap_v4), 2**127 - 1
    scene.borrower.deal(scene.token, one.source.lender, 2**130)
    scene.borrower.refreshed(one.source)
    scene.chain.rpc.request("anvil_setCode", PROBE, PROBE_CODE)

    def is_taken(units: int) -> bool:
        take = encode_call("take(address,address,uint256)", scene.token, PROBE, units)
        unlock = encode_call("unlock(bytes)", bytes.fromhex(take[2:]))
        (words,) = scene.chain.call_all([({"to": PROBE, "data": one.source.lender + unlock[2:]}, "latest")])
        assert words is not None
        return words[0] == 1

    for units, is_lent in ((most, True), (most + 1, False)):
        assert is_taken(units) == (one.source.fee_units(scene.token, units) is not None) == is_lent


def test_a_vault_of_balancer_v3_that_lends_trades_too_while_it_has_what_it_pays_out(scene: Scene) -> None:
    """A stable pool pays out nearly all that it has, so loan and output can be more than the Vault's reserves."""
    borrower, market = scene.borrower, scene.vault()
    pool = market.make(PoolTerms((scene.token, scene.other), (1e3, 1e3), 10**15, amplification=1000))
    source = borrower.refreshed(BalancerV3FlashLoan(market.vault, [scene.token]))
    spends = (BalancerV3Step(scene.token, scene.other, market.vault, pool), borrower.steps[1])
    pays_out = (borrower.steps[0], BalancerV3Step(scene.other, scene.token, market.vault, pool))
    most = borrower.held(scene.token, market.vault)
    large = most * 6 // 10
    assert not source.is_locked_by((PoolId(pool),), (market.vault,))
    for steps in (spends, pays_out):
        loan = borrower.on_loan(source, most // 10, steps)
        assert loan is not None
        assert loan.profit == borrower.on_own_capital(most // 10, steps).profit
    assert source.fee_units(scene.token, large) == 0
    assert borrower.on_own_capital(large, pays_out).profit > 0
    assert borrower.on_loan(source, large, pays_out) is None


def test_a_paused_vault_of_balancer_v3_still_lends_and_one_whose_token_shrank_does_not(scene: Scene) -> None:
    one = made(scene, Scene.balancer_v3)
    borrower, vault = scene.borrower, one.source.lender
    scene.chain.deployer.transact(vault, "pauseVault()")
    scene.chain.deployer.flush()
    assert borrower.on_loan(one.source, one.most) is not None
    with taken_back(scene.chain):
        borrower.deal(scene.token, vault, one.most - 1)
        borrower.refreshed(one.source)
        assert one.source.fee_units(scene.token, SMALL) is None
        assert "less" in one.source.why_closed(scene.token)
        assert borrower.on_loan(one.source, SMALL) is None


def test_a_token_that_is_not_lent_and_a_contract_that_is_no_lender(scene: Scene) -> None:
    one = made(scene, Scene.minting_token)
    assert one.source.fee_units(scene.token, 1) is None
    assert one.source.is_locked_by((), (one.source.lender,))
    assert not one.source.is_locked_by((), (scene.token,))
    nobody = Address("0x" + "00" * 19 + "99")
    sources: tuple[FlashSource, ...] = (
        BalancerV3FlashLoan(scene.token, [scene.other]),
        Erc3156FlashLoan(scene.token, [scene.other]),
    )
    for source in sources:
        with pytest.raises(MalformedAnswerError):
            scene.borrower.refreshed(source)
    for empty in (MorphoFlashLoan(scene.token, [nobody]), UniswapV4FlashLoan(scene.token, [nobody])):
        scene.borrower.refreshed(empty)
        assert empty.fee_units(nobody, 1) is None
        assert empty.fee_units(scene.other, 1) is None
    assert not MorphoFlashLoan(scene.token, []).is_locked_by((), (scene.token,))
