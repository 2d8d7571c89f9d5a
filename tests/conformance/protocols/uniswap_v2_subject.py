"""Uniswap v2 for the suite: Router02 and Pair as published; forks are the same code with the constants of their fee.

0.2 % (a byte for each token), and PancakeSwap's 0.25 %: it asks (10000 b - 25 a)(10000 b' - 25 a') >= 10000^2 r r'.
Divided by 25^2 that is (400 b - a)(400 b' - a') >= 400^2 r r', which fits the places of Uniswap's 1000, 3 and 1000^2.

Oracles: `Router02.getAmountOut` for the amount where the fee is 0.3 %, and the pair itself for every case: it must
accept the output and refuse one unit more. Reverts are the pair's.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from unittest.mock import patch

import msgspec
from eth_hash.auto import keccak
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.devnet.abi import encode_arguments, encode_call
from headrace.devnet.recipe.tokens import approve_all
from headrace.devnet.recipe.uniswap_v2 import (
    NO_DEADLINE,
    V2PoolSpec,
    create_v2_pool,
    deploy_uniswap_v2,
)
from headrace.devnet.recipe.uniswap_v2 import (
    UniswapV2 as Exchange,
)
from headrace.kernels import constant_product
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

FEES = {"uniswap_v2": 3000, "two_permille": 2000, "quarter_percent": 2500}
_LEFT = {"two_permille": (998, 1000), "quarter_percent": (399, 400)}  # of an input, after the fee
_FEE_CODE = "600363ffffffff"  # PUSH1 3, PUSH4 ffffffff: `amountIn.mul(3)` in the pair's code, once per token
_BASE_CODE = "6103e863ffffffff"  # PUSH2 1000, PUSH4 ffffffff: `balance.mul(1000)`, in code that both tokens share
_SQUARE_CODE = "620f4240"  # PUSH3 1000^2
_CHANGES = {
    "two_permille": ((_FEE_CODE, "600263ffffffff", 2),),
    "quarter_percent": (
        (_FEE_CODE, "600163ffffffff", 2),
        (_BASE_CODE, f"61{400:04x}63ffffffff", 1),
        (_SQUARE_CODE, f"62{400**2:06x}", 1),
    ),
}
_LARGEST = (1 << 112) - 1


class V2Subject:
    """Five pairs of Uniswap's, two of each fork's; tokens of 6, 8 and 18 decimals, from shallow to nearly 112 bits."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = UniswapV2(FEES)
        self.no_pool = chain.tokens[0]
        self._exchanges = {venue: self._exchange() for venue in FEES}
        a, b, c, d = chain.tokens
        amounts = ((a, b, 10**12, 3 * 10**11), (a, c, 10**9, 10**24), (b, c, 7000, 11_000), (c, d, 10**15, 10**27))
        made = [(self._pair("uniswap_v2", one), "uniswap_v2") for one in amounts]
        made.append((self._pair("uniswap_v2", (b, d, 1100, _LARGEST - 10**30)), "uniswap_v2"))
        shallow, deep = (a, b, 10**10, 10**20), (c, d, 10**22, 10**18)
        forked = [(self._pair(venue, one), venue) for venue in _CHANGES for one in (shallow, deep)]
        chain.deployer.flush()
        for pair, venue in forked:
            self._change_fee(pair, venue)
        made += forked
        self.pools = tuple(self._described(pair, venue) for pair, venue in made)

    def reserve(self, state: PoolState, token: Address) -> int:
        assert isinstance(state, UniswapV2State)
        return state.reserve0 if token == state.pool.tokens[0] else state.reserve1

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        offers = self._offers(cases)
        probes = [self._swap(case, offer or 1) for case, offer in zip(cases, offers, strict=True)]
        beyond = [self._swap(case, offer + 1) for case, offer in zip(cases, offers, strict=True)]
        paid = self.chain.call_all(probes)
        refused = self.chain.call_all(beyond)
        answers: list[int | None] = []
        for case, offer, accepted, more in zip(cases, offers, paid, refused, strict=True):
            assert more is None, f"{case}: the pair gives more than {offer}"
            assert accepted is None or offer > 0, f"{case}: the pair gives a unit for nothing"
            if accepted is None and offer > 0:
                assert self.reserve(case.state, case.token_in) + case.amount_in > _LARGEST, f"{case}: {offer} refused"
            answers.append(offer if accepted is not None else None)
        return answers

    def slack_units(self, case: Case) -> float:
        del case
        return 1.0

    def act(self, draw: random.Random) -> str:
        pool = draw.choice(self.pools)
        kind = draw.choices(("swap", "mint", "burn", "donate"), (6, 2, 2, 1))[0]
        getattr(self, f"_{kind}_at_random")(draw, pool, self._exchanges[pool.venue].router)
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {"swap": 80, "mint": 20, "burn": 20, "donate": 10}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        exact = constant_product.amount_out

        def rounded_up(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
            return exact(reserve_in, reserve_out, fee_pips, amount_in) + 1

        def fee_rounded(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
            return exact(reserve_in, reserve_out, 0, amount_in - amount_in * fee_pips // 10**6)

        def cheap(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
            return exact(reserve_in, reserve_out, 2000 if fee_pips == 3000 else fee_pips, amount_in)

        def turned(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
            return exact(reserve_out, reserve_in, fee_pips, amount_in)

        def taxed_out(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
            return exact(reserve_in, reserve_out, 0, amount_in) * (10**6 - fee_pips) // 10**6

        return {
            fault.__name__: partial(patch.object, constant_product, "amount_out", fault)
            for fault in (rounded_up, fee_rounded, cheap, turned, taxed_out)
        } | {"no limit of 112 bits": self._limitless}

    @contextmanager
    def _limitless(self) -> Iterator[None]:
        with patch("headrace.adapters.protocols.uniswap_v2.quoting.RESERVE_END", 1 << 256):
            yield

    def broken(self, log: Log) -> Iterator[Log]:
        yield msgspec.structs.replace(log, data="0x" + f"{1 << 112:064x}" + "0" * 64)
        yield msgspec.structs.replace(log, topics=(*log.topics, log.topics[0]))

    def router(self, venue: str) -> Address:
        """The venue's Router02."""
        return self._exchanges[venue].router

    def empty_pair(self, token_a: Address, token_b: Address) -> Address:
        """A new pair that nobody minted in."""
        factory = self._exchanges["uniswap_v2"].factory
        self.chain.deployer.transact(factory, "createPair(address,address)", token_a, token_b)
        return self.chain.deployer.call_address(factory, "getPair(address,address)(address)", token_a, token_b)

    def _exchange(self) -> Exchange:
        exchange = deploy_uniswap_v2(self.chain.deployer, self.chain.weth)
        approve_all(self.chain.deployer, self.chain.tokens, (exchange.router,))
        return exchange

    def _pair(self, venue: str, spec: tuple[Address, Address, int, int]) -> Address:
        pair = create_v2_pool(self.chain.deployer, self._exchanges[venue], V2PoolSpec(*spec))
        self.chain.deployer.transact(pair, "approve(address,uint256)", self._exchanges[venue].router, 2**255)
        return pair

    def _change_fee(self, pair: Address, venue: str) -> None:
        code = str(self.chain.rpc.request("eth_getCode", pair, "latest"))
        for published, changed, times in _CHANGES[venue]:
            assert code.count(published) == times
            code = code.replace(published, changed)
        self.chain.rpc.request("anvil_setCode", pair, code)

    def _described(self, pair: Address, venue: str) -> Pool:
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, venue, PoolId(pair), block))

    def _offers(self, cases: Sequence[Case]) -> list[int]:
        """The router's amounts at 0.3 %; for forks the solution of the pair's inequality, for the pair to judge."""
        router = self._exchanges["uniswap_v2"].router
        signature = "getAmountOut(uint256,uint256,uint256)"
        asked = []
        for case in cases:
            reserves = (self.reserve(case.state, case.token_in), self.reserve(case.state, case.token_out))
            asked.append(({"to": router, "data": encode_call(signature, case.amount_in, *reserves)}, "latest"))
        answers = self.chain.call_all(asked)
        offers = []
        for case, answer in zip(cases, answers, strict=True):
            x, y = self.reserve(case.state, case.token_in), self.reserve(case.state, case.token_out)
            if case.state.pool.venue not in _LEFT:
                offers.append(answer[0] if answer else 0)
                continue
            left, whole = _LEFT[case.state.pool.venue]
            offers.append(y - -(-whole * x * y // (whole * x + left * case.amount_in)))
        return offers

    def _swap(self, case: Case, amount_out: int) -> tuple[object, ...]:
        """`pair.swap` with the input already in the pair: the token's balance is overridden."""
        out = (0, amount_out) if case.token_in == case.state.pool.tokens[0] else (amount_out, 0)
        pair = case.state.pool.address
        slot = "0x" + keccak(encode_arguments(("address", "uint256"), pair, 0)).hex()
        balance = self.reserve(case.state, case.token_in) + case.amount_in
        override = {case.token_in: {"stateDiff": {slot: f"0x{balance:064x}"}}}
        head = f"0x022c0d9f{out[0]:064x}{out[1]:064x}"
        tail = f"{int(self.chain.deployer.sender, 16):064x}{128:064x}{0:064x}"
        return {"to": pair, "data": head + tail}, "latest", override

    def _reserves(self, pool: Pool) -> tuple[int, int]:
        first, second, _ = self.chain.deployer.call(pool.address, "getReserves()(uint112,uint112,uint32)")
        assert isinstance(first, int)
        assert isinstance(second, int)
        return first, second

    def _swap_at_random(self, draw: random.Random, pool: Pool, router: Address) -> None:
        path = draw.choice((pool.tokens, pool.tokens[::-1]))
        reserve = self._reserves(pool)[pool.tokens.index(path[0])]
        amount = 10 + int(reserve * 10 ** draw.uniform(-3, -0.3))
        signature = "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"
        if reserve + amount < _LARGEST and reserve > 10**4:
            self.chain.deployer.transact(router, signature, amount, 0, path, self.chain.deployer.sender, NO_DEADLINE)
        else:
            self._donate_at_random(draw, pool, router)

    def _mint_at_random(self, draw: random.Random, pool: Pool, router: Address) -> None:
        share = draw.uniform(0.01, 0.2)
        amounts = (1000 + int(one * share) for one in self._reserves(pool))
        signature = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
        if max(self._reserves(pool)) * 1.5 > _LARGEST:
            self._donate_at_random(draw, pool, router)
            return
        to = self.chain.deployer.sender
        self.chain.deployer.transact(router, signature, *pool.tokens, *amounts, 0, 0, to, NO_DEADLINE)

    def _burn_at_random(self, draw: random.Random, pool: Pool, router: Address) -> None:
        to = self.chain.deployer.sender
        held = self.chain.deployer.call_integer(pool.address, "balanceOf(address)(uint256)", to)
        signature = "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)"
        share = int(held * draw.uniform(0.01, 0.1))
        self.chain.deployer.transact(router, signature, *pool.tokens, share, 0, 0, to, NO_DEADLINE)

    def _donate_at_random(self, draw: random.Random, pool: Pool, router: Address) -> None:
        del router
        token = draw.choice(pool.tokens)
        self.chain.deployer.transact(token, "transfer(address,uint256)", pool.address, draw.randrange(1, 10**4))
        self.chain.deployer.transact(pool.address, "sync()")
