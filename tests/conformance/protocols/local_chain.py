"""A local chain for the protocol suites: real bytecode, tokens with other decimals, and the project's own `Chain`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.abi import decode_words
from headrace.devnet.anvil import Anvil
from headrace.devnet.deployer import Deployer
from headrace.devnet.recipe.tokens import deploy_token, deploy_weth
from headrace.devnet.rpc import Call, Rpc, RpcFailure
from headrace.model.address import Address, ChainId
from headrace.model.block import BlockContext, BlockHeader, next_block
from headrace.model.event import Log
from headrace.ports.chain import Chain

T = TypeVar("T")
CHAIN_ID = 31337
SUPPLY_UNITS = 1 << 200
_CALLS_AT_ONCE = 1000
_REVERTED = 3  # anvil's error code of a call that reverts


class NodeOnly:
    """Anvil, and the port over it."""

    def __init__(self, anvil: Anvil, rpc: Rpc) -> None:
        self.anvil = anvil
        self.rpc = rpc

    def through_chain(self, work: Callable[[Chain], Awaitable[T]]) -> T:
        """Run something that wants the port."""

        async def connected() -> T:
            options = EvmOptions(url=self.anvil.ws_url, chain_id=ChainId(CHAIN_ID), deadline_seconds=30.0)
            async with EvmChain(options, WallClock()) as chain:
                return await work(chain)

        return asyncio.run(connected())

    def head(self) -> BlockHeader:
        return self.through_chain(lambda chain: chain.head())

    def next_context(self) -> BlockContext:
        """The block in which a call on the head would be mined."""
        return next_block(self.head(), 1)

    def logs_after(self, number: int) -> tuple[BlockHeader, list[Log]]:
        """The head, and every log above block `number`, fetched block by block by hash."""

        async def fetch(chain: Chain) -> tuple[BlockHeader, list[Log]]:
            head = await chain.head()
            found: list[Log] = []
            for height in range(number + 1, head.number + 1):
                header = await chain.header_by_number(height)
                assert header is not None
                found += await chain.logs(header.hash)
            return head, found

        return self.through_chain(fetch)

    def call_all(self, requests: Iterable[Sequence[object]]) -> list[list[int] | None]:
        """Answers of `eth_call`s as words, None for each that reverts; any other failure is a fault of the test."""
        asked = [Call("eth_call", tuple(params)) for params in requests]
        answers: list[list[int] | None] = []
        for start in range(0, len(asked), _CALLS_AT_ONCE):
            for one in self.rpc.attempt(asked[start : start + _CALLS_AT_ONCE]):
                if isinstance(one, RpcFailure):
                    assert one.code == _REVERTED, one
                    answers.append(None)
                else:
                    answers.append(decode_words(str(one)))
        return answers


class LocalChain(NodeOnly):
    """With WETH9 and four tokens of 6, 8, 18 and 18 decimals, all in the deployer's hands."""

    def __init__(self, anvil: Anvil, rpc: Rpc) -> None:
        super().__init__(anvil, rpc)
        self.deployer = Deployer(rpc)
        self.weth = deploy_weth(self.deployer)
        made = (deploy_token(self.deployer, f"T{d}", d, SUPPLY_UNITS) for d in (6, 8, 18, 18))
        self.tokens: tuple[Address, ...] = tuple(sorted(made))
        self.deployer.flush()
        self.decimals = {t: self.deployer.call_integer(t, "decimals()(uint8)") for t in self.tokens}
