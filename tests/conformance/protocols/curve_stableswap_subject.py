"""StableSwap for the suite: pools of our own with Curve's interface, in Solidity by the same hands.

Oracle: their `exchange` itself, called for each case on the head's state. That drives the mechanics (reading, folding,
refusing, rounding both ways) and shows that our integers and our Solidity agree; it proves nothing about Curve's own
contracts. Their recorded answers do: tests/golden/test_curve_stableswap.py.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple
from unittest.mock import patch

import msgspec
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case
from tests.conformance.protocols.suite import ACTIONS, SEED, History, read_states

from headrace.adapters.protocols.curve_stableswap import CurveStableswap, paying, quoting
from headrace.adapters.protocols.curve_stableswap.paying import Paid, Payer, payer
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.views import view
from headrace.adapters.protocols.curve_stableswap.ways import Way
from headrace.devnet.abi import encode_call
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.recipe.tokens import approve_all
from headrace.kernels import stableswap
from headrace.kernels.stableswap import FEE_DENOMINATOR, ProductRounding, StableFee
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

EXCHANGE = "exchange(int128,int128,uint256,uint256)"
_ACTIONS = {"swap": 8, "add": 3, "remove": 2, "remove unevenly": 3, "remove one": 1, "fee": 2, "ramp": 1, "rate": 1}
_ACTIONS_PER_ROUND = 12
_DAY = 86_400
_DUST_RATE = 10**8  # of an 18-decimal coin that is worth 1e-10 of the others

_true_product, _true_fee_rate, _true_swap = stableswap._product, stableswap.fee_rate, stableswap.swap


class Spec(NamedTuple):
    """One pool to be made: `amounts` in whole coins, `offpeg` only for NG."""

    contract: str
    coins: tuple[Address, ...]
    amounts: tuple[int, ...]
    amp: int
    fee: int
    offpeg: int = 0


class CurveStableswapSubject:
    """Five pools: early, precise, uneven, NG at par, NG with rates."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = CurveStableswap()
        self.no_pool = str(chain.tokens[0])
        self.by_pool: dict[PoolId, Spec] = {}
        made = [self._made(spec) for spec in self._specs()]
        chain.deployer.flush()
        self.pools = tuple(self._described(PoolId(address)) for address in made)

    def reserve(self, state: PoolState, token: Address) -> int:
        return own(state).balances[own(state).terms.coins.index(token)]

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        answers = self.chain.call_all((self.swap_call(case), "latest") for case in cases)
        return [None if answer is None else answer[0] for answer in answers]

    def swap_call(self, case: Case) -> dict[str, str]:
        coins = own(case.state).terms.coins
        indices = coins.index(case.token_in), coins.index(case.token_out)
        data = encode_call(EXCHANGE, *indices, case.amount_in, 0)
        return {"from": self.chain.deployer.sender, "to": case.state.pool.address, "data": data}

    def slack_units(self, case: Case) -> float:
        """The unit held back, D's rounding, and the rounding of the output; all in units of the output."""
        state = own(case.state)
        rate = state.rates[state.terms.coins.index(case.token_out)]
        return 2.0 + 8.0 * 1e18 / rate

    def act(self, draw: random.Random) -> str:
        kind = draw.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        if kind == "rate":
            self._rate(draw, self.pools[-1])
        else:
            getattr(self, "_" + kind.replace(" ", "_"))(draw, draw.choice(self.pools))
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {kind: 5 * weight for kind, weight in _ACTIONS.items()}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        def other_rounding(rounding: ProductRounding, balances: Sequence[int], guess: int) -> int:
            is_late = rounding is ProductRounding.AT_THE_END
            return _true_product(ProductRounding.PER_COIN if is_late else ProductRounding.AT_THE_END, balances, guess)

        def at_the_peg(fee: StableFee, first: int, second: int) -> int:
            del first, second
            return fee.fee

        def fee_up(fee: StableFee, first: int, second: int) -> int:
            return _true_fee_rate(fee, first, second) + 1

        def all_given(pool: stableswap.StablePool, i: int, j: int, added: int, *, held_back: int) -> object:
            return _true_swap(pool, i, j, added, held_back=held_back - 1)

        def as_viewed(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
            return lambda amount: Paid(view(state, way, amount, at), 0, is_past_peg=True)

        def output_up(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
            pay = payer(state, way, at)
            return lambda amount: Paid(pay(amount).amount_out + 1, 0, is_past_peg=True)

        return {
            "D divided at another place": partial(patch.object, stableswap, "_product", other_rounding),
            "no fee off the peg": partial(patch.object, stableswap, "fee_rate", at_the_peg),
            "fee rate rounded up": partial(patch.object, stableswap, "fee_rate", fee_up),
            "nothing held back": partial(patch.object, paying, "swap", all_given),
            "the view taken for the swap": partial(patch.object, quoting, "payer", as_viewed),
            "output rounded up": partial(patch.object, quoting, "payer", output_up),
            "rates of 18 decimals": partial(patch.object, paying, "PRECISION", 10**17),
            "no limit of 256 bits": partial(patch.object, stableswap, "_WORD_BITS", 16),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        replace = msgspec.structs.replace
        yield replace(log, topics=(*log.topics, log.topics[0]))
        yield replace(log, topics=log.topics * 2)
        is_list = int(log.data[2:66], 16) in (0x60, 0x80)
        yield (
            replace(log, data="0x" + "ff" * 32 + log.data[66:]) if is_list else replace(log, data=log.data + "00" * 32)
        )

    def _specs(self) -> list[Spec]:
        a, b, c, d = sorted(self.chain.tokens, key=lambda token: self.chain.decimals[token])
        return [
            Spec("StableSwapPool", (a, b, c), (3 * 10**6, 10**6, 2 * 10**6), 2000, 1_500_000),
            Spec("StableSwapPrecisePool", (b, d), (50_000, 80_000), 100, 4_000_000),
            Spec("StableSwapPrecisePool", (c, d), (105_000, 10_000), 5, 30_000_000),
            Spec("StableSwapNGPool", (c, a), (400_000, 900_000), 1500, 1_000_000, 5 * FEE_DENOMINATOR),
            Spec("StableSwapNGPool", (c, d, b), (1002 * 10**9, 3 * 10**12, 300), 200, 4_000_000, 10 * FEE_DENOMINATOR),
        ]

    def _made(self, spec: Spec) -> Address:
        deployer = self.chain.deployer
        precision = (1,) if spec.contract == "StableSwapPool" else ()
        offpeg = (spec.offpeg,) if spec.offpeg else ()
        arguments = (spec.coins, spec.amp, *precision, spec.fee, FEE_DENOMINATOR // 2, *offpeg)
        types = ("address[]", *("uint256",) * (len(arguments) - 1))
        pool = deployer.deploy(own_artifact(spec.contract), types, *arguments)
        approve_all(deployer, spec.coins, (pool,))
        if spec.contract == "StableSwapNGPool" and len(spec.coins) > 2:
            for k in (0, 1):
                deployer.transact(pool, "setRate(uint256,uint256)", k, _DUST_RATE)
        amounts = [n * 10 ** self.chain.decimals[coin] for n, coin in zip(spec.amounts, spec.coins, strict=True)]
        deployer.transact(pool, "add_liquidity(uint256[],uint256)", amounts, 0)
        self.by_pool[PoolId(pool)] = spec
        return pool

    def _described(self, pool: PoolId) -> Pool:
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, "curve", pool, block))

    def balances(self, pool: Pool) -> list[int]:
        count = len(self.by_pool[pool.id].coins)
        return [self.chain.deployer.call_integer(pool.address, "balances(uint256)(uint256)", k) for k in range(count)]

    def _swap(self, draw: random.Random, pool: Pool) -> None:
        balances = self.balances(pool)
        i, j = draw.sample(range(len(balances)), 2)
        amount = int(balances[i] * 0.05 * 10 ** draw.uniform(-3, 0))
        self.chain.deployer.transact(pool.address, EXCHANGE, i, j, amount, 0)

    def _add(self, draw: random.Random, pool: Pool) -> None:
        amounts = [int(one * draw.choice((0, 0.01, 0.02)) * draw.uniform(0.5, 1)) for one in self.balances(pool)]
        amounts[0] += 1_000_000
        self.chain.deployer.transact(pool.address, "add_liquidity(uint256[],uint256)", amounts, 0)

    def _remove(self, draw: random.Random, pool: Pool) -> None:
        tokens = draw.randrange(10**15, 10**17)
        self.chain.deployer.transact(pool.address, "remove_liquidity(uint256)", tokens)

    def _remove_unevenly(self, draw: random.Random, pool: Pool) -> None:
        amounts = [int(one * draw.uniform(0, 0.01)) for one in self.balances(pool)]
        self.chain.deployer.transact(pool.address, "remove_liquidity_imbalance(uint256[])", amounts)

    def _remove_one(self, draw: random.Random, pool: Pool) -> None:
        signature = "remove_liquidity_one_coin(uint256,int128,uint256)"
        self.chain.deployer.transact(pool.address, signature, draw.randrange(10**15, 10**16), 0, 0)

    def _fee(self, draw: random.Random, pool: Pool) -> None:
        fees = draw.randrange(10**5, 4 * 10**7), draw.randrange(0, FEE_DENOMINATOR)
        self.chain.deployer.transact(pool.address, "apply_new_fee(uint256,uint256)", *fees)

    def _ramp(self, draw: random.Random, pool: Pool) -> None:
        if draw.random() < 0.5:
            self.chain.deployer.transact(pool.address, "stop_ramp_A()")
            return
        time = self.chain.head().timestamp + draw.randrange(60, _DAY)
        self.chain.deployer.transact(pool.address, "ramp_A(uint256,uint256)", draw.randrange(50, 3000), time)

    def _rate(self, draw: random.Random, pool: Pool) -> None:
        rate = int(_DUST_RATE * draw.uniform(0.99, 1.01))
        self.chain.deployer.transact(pool.address, "setRate(uint256,uint256)", 0, rate)


def own(state: PoolState) -> CurveStableswapState:
    assert isinstance(state, CurveStableswapState)
    return state


def lived_as_the_market(subject: CurveStableswapSubject) -> tuple[History, Counter[str]]:
    """Rounds of random transactions; logs are folded, and what is outdated by then is read again, as markets do."""
    draw, chain, dex = random.Random(SEED), subject.chain, subject.dex
    held: dict[PoolId, PoolState] = {state.pool.id: state for state in read_states(subject)}
    history, kept, height = History(Counter(), [], [], dict(held)), Counter[str](), chain.head().number
    for _ in range(ACTIONS // _ACTIONS_PER_ROUND):
        history.kinds.update(subject.act(draw) for _ in range(_ACTIONS_PER_ROUND))
        chain.deployer.flush()
        head, logs = chain.logs_after(height)
        height, changed = head.number, set()
        for log in logs:
            if log.topics and log.topics[0] in dex.topics and (pool := dex.pool_of(log)) in held:
                held[pool] = dex.apply(held[pool], log)
                changed.add(pool)
                history.logs.append(log)
        read: dict[PoolId, PoolState] = {state.pool.id: state for state in read_states(subject)}
        for pool, state in held.items():
            is_outdated = dex.is_outdated(state, head.number)
            kept["read again" if is_outdated else "folded" if pool in changed else "untouched"] += 1
            held[pool] = read[pool] if is_outdated else state
        history.rounds.append((dict(held), read))
    return history, kept
