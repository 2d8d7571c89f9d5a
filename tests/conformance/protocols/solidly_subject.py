"""Solidly's family for the suite, on contracts of our own with its interface: mechanics are tested, nothing is proven.

What proves the arithmetic are the quotes recorded from Aerodrome (`tests/golden/test_solidly.py`).

Oracle: what a pair answers (`getAmountOut`) and whether its `swap` takes it.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from unittest.mock import patch

import msgspec
from eth_hash.auto import keccak
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, quote

from headrace.adapters.protocols.solidly import Solidly, logs
from headrace.adapters.protocols.solidly.state import SolidlyState
from headrace.devnet.abi import encode_arguments, encode_call
from headrace.devnet.artifacts import own_artifact
from headrace.kernels import solidly
from headrace.kernels.solidly import Root, SolidlyPair
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

SEED = 20_260_107
AMOUNT_OUT = "getAmountOut(uint256,address)"


class SolidlySubject:
    """Seven pairs of each factory: stable over 6, 8 and 18 decimals, lopsided, close to 256 bits; volatile."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = Solidly()
        self.no_pool = chain.tokens[0]
        self.factories = {
            root: chain.deployer.deploy(own_artifact("SolidlyDevFactory"), ("bool",), root is Root.VELODROME_V2)
            for root in Root
        }
        chain.deployer.flush()
        by_decimals = sorted(chain.tokens, key=lambda token: chain.decimals[token])
        six, eight, eighteen, other = by_decimals
        made = []
        for root in Root:
            made += [
                self.pair(root, (six, eighteen, 10**12, 14 * 10**23), is_stable=True),
                self.pair(root, (eighteen, other, 3 * 10**20, 10**20), is_stable=True),
                self.pair(root, (six, eight, 10**9, 7 * 10**12), is_stable=True),
                self.pair(root, (eighteen, eight, 10**28, 10**18), is_stable=True),
                self.pair(root, (eighteen, other, 10**17, 10**22), is_stable=True),
                self.pair(root, (six, eight, 3 * 10**5, 38 * 10**8), is_stable=True),
                self.pair(root, (eighteen, eight, 10**21, 10**12), is_stable=False),
            ]
        self.pools = tuple(self.described(pair) for pair in made)
        self.chain_context = chain.next_context()

    def reserve(self, state: PoolState, token: Address) -> int:
        assert isinstance(state, SolidlyState)
        return state.reserve0 if token == state.pool.tokens[0] else state.reserve1

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        asked = [(case.state.pool.address, encode_call(AMOUNT_OUT, case.amount_in, case.token_in)) for case in cases]
        answers = self.chain.call_all(({"to": to, "data": data}, "latest") for to, data in asked)
        offers = [answer[0] if answer else 0 for answer in answers]
        taken = self.chain.call_all(self._swap(case, offer) for case, offer in zip(cases, offers, strict=True))
        return [offer if done is not None else None for offer, done in zip(offers, taken, strict=True)]

    def slack_units(self, case: Case) -> float:
        """A unit out, a unit in at the first marginal price, and what the rounding of f is worth in y at the end."""
        state = case.state
        assert isinstance(state, SolidlyState)
        order = 1 if case.token_in == state.pool.tokens[0] else -1
        scale_in, scale_out = state.terms.scales[::order]
        paid = quote(self, case, self.chain_context) or 0
        x, y = self.reserve(state, case.token_in) / scale_in, self.reserve(state, case.token_out) / scale_out
        x_after, y_after = x + case.amount_in / scale_in, y - paid / scale_out
        price = y * (3 * x * x + y * y) / (x * (x * x + 3 * y * y)) if state.terms.is_stable else y / x
        noise = (x_after**2 + y_after**2 + 3) / (x_after**3 + 3 * x_after * y_after**2) / 10**18
        return 2.0 + 2 * price * scale_out * (1 / scale_in + 1e-18) + noise * scale_out

    def act(self, draw: random.Random) -> str:
        pool = draw.choice(self.pools)
        kind = draw.choices(("swap", "mint", "burn", "donate", "set fee"), (6, 2, 2, 1, 1))[0]
        done = getattr(self, f"_{kind.replace(' ', '_')}_at_random")(draw, pool)
        return str(done or kind)

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {"swap": 60, "mint": 20, "burn": 20, "donate": 8, "set fee": 8}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        exact_out, exact_accepts = solidly.amount_out, solidly.accepts

        def other_root(pair: SolidlyPair, amount_in: int) -> int | None:
            other = Root.SOLIDLY if pair.root is Root.VELODROME_V2 else Root.VELODROME_V2
            return exact_out(msgspec.structs.replace(pair, root=other), amount_in)

        def fee_up(pair: SolidlyPair, amount_in: int) -> int | None:
            return exact_out(msgspec.structs.replace(pair, fee=0), amount_in + -amount_in * pair.fee // pair.fee_unit)

        def always_volatile(pair: SolidlyPair, amount_in: int) -> int | None:
            return exact_out(msgspec.structs.replace(pair, is_stable=False), amount_in)

        def accepts_all(pair: SolidlyPair, amount_in: int, amount_out: int) -> bool:
            return amount_out > 0 or exact_accepts(pair, amount_in, amount_out)

        out = {one.__name__: partial(patch.object, solidly, "amount_out", one) for one in (other_root, fee_up)}
        return out | {
            "always volatile": partial(patch.object, solidly, "amount_out", always_volatile),
            "k not asked": partial(patch.object, solidly, "accepts", accepts_all),
            "scaled once": partial(patch.object, solidly, "_k_scaled_twice", lambda x, y, _: solidly._f_as_k(x, y)),
            "unbounded": partial(patch.object, solidly, "_WORD_BITS", 4096),
            "few iterations": self._impatient,
        }

    @contextmanager
    def _impatient(self) -> Iterator[None]:
        with patch.object(solidly, "_ITERATIONS_MAX", 3):
            yield

    def broken(self, log: Log) -> Iterator[Log]:
        if log.topics[0] == logs.SYNC_112:
            yield msgspec.structs.replace(log, data="0x" + f"{1 << 112:064x}" + "0" * 64)
        yield msgspec.structs.replace(log, topics=(*log.topics, log.topics[0]))

    def pair(self, root: Root, spec: tuple[Address, Address, int, int], *, is_stable: bool) -> Address:
        """A new pair, described nowhere, with what is put into it."""
        deployer, (token_a, token_b, amount_a, amount_b) = self.chain.deployer, spec
        signature, factory = "createPair(address,address,bool)", self.factories[root]
        made = deployer.call_address(factory, f"{signature}(address)", token_a, token_b, is_stable)
        deployer.transact(factory, signature, token_a, token_b, is_stable)
        self._put(made, ((token_a, amount_a), (token_b, amount_b)))
        return made

    def described(self, pair: Address) -> Pool:
        """Read by the plug-in, after everything queued has been mined."""
        self.chain.deployer.flush()
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, "solidly", PoolId(pair), block))

    def _put(self, pair: Address, amounts: Sequence[tuple[Address, int]]) -> None:
        for token, amount in amounts:
            if amount:
                self.chain.deployer.transact(token, "transfer(address,uint256)", pair, amount)
        if all(amount for _, amount in amounts):
            self.chain.deployer.transact(pair, "mint(address)", self.chain.deployer.sender)

    def _swap(self, case: Case, amount_out: int) -> tuple[object, ...]:
        """`swap` with the input already in the pair: the token's balance is overridden."""
        out = (0, amount_out) if case.token_in == case.state.pool.tokens[0] else (amount_out, 0)
        pair = case.state.pool.address
        slot = "0x" + keccak(encode_arguments(("address", "uint256"), pair, 0)).hex()
        balance = self.reserve(case.state, case.token_in) + case.amount_in
        override = {case.token_in: {"stateDiff": {slot: f"0x{balance:064x}"}}}
        data = encode_call("swap(uint256,uint256,address,bytes)", *out, self.chain.deployer.sender, b"")
        return {"to": pair, "data": data}, "latest", override

    def _reserves(self, pool: Pool) -> tuple[int, int]:
        call = self.chain.deployer.call_integer
        return call(pool.address, "reserve0()(uint256)"), call(pool.address, "reserve1()(uint256)")

    def _swap_at_random(self, draw: random.Random, pool: Pool) -> str | None:
        way = draw.randrange(2)
        amount = 10 + int(self._reserves(pool)[way] * 10 ** draw.uniform(-4, -0.5))
        deployer, token = self.chain.deployer, pool.tokens[way]
        (answer,) = self.chain.call_all(
            [({"to": pool.address, "data": encode_call(AMOUNT_OUT, amount, token)}, "latest")]
        )
        deployer.transact(token, "transfer(address,uint256)", pool.address, amount)
        given = answer[0] * 999 // 1000 if answer else 0  # less than it offers: k must not refuse it
        if not given:
            deployer.transact(pool.address, "sync()")
            return "swap refused"
        out = (0, given) if way == 0 else (given, 0)
        deployer.transact(pool.address, "swap(uint256,uint256,address,bytes)", *out, deployer.sender, b"")
        return None

    def _mint_at_random(self, draw: random.Random, pool: Pool) -> None:
        share = draw.uniform(0.01, 0.1)
        amounts = (1000 + int(reserve * share) for reserve in self._reserves(pool))
        self._put(pool.address, tuple(zip(pool.tokens, amounts, strict=True)))

    def _burn_at_random(self, draw: random.Random, pool: Pool) -> None:
        deployer = self.chain.deployer
        held = deployer.call_integer(pool.address, "balanceOf(address)(uint256)", deployer.sender)
        share = int(held * draw.uniform(0.01, 0.1))
        deployer.transact(pool.address, "transfer(address,uint256)", pool.address, share)
        deployer.transact(pool.address, "burn(address)", deployer.sender)

    def _donate_at_random(self, draw: random.Random, pool: Pool) -> None:
        token = draw.choice(pool.tokens)
        self.chain.deployer.transact(token, "transfer(address,uint256)", pool.address, draw.randrange(1, 10**4))
        self.chain.deployer.transact(pool.address, "sync()")

    def _set_fee_at_random(self, draw: random.Random, pool: Pool) -> None:
        deployer = self.chain.deployer
        later, first = self.factories[Root.VELODROME_V2], self.factories[Root.SOLIDLY]
        deployer.transact(later, "setCustomFee(address,uint256)", pool.address, draw.randrange(1, 100))
        deployer.transact(first, "setFee(bool,uint256)", draw.random() < 0.5, draw.randrange(1, 100))
