"""Reading through the real Multicall3; the oracle is the node, asked call by call.

Its creation code is that which the npm package viem carries; without that package there is nothing to ask.
"""

import asyncio
import re
from collections.abc import Iterator

import pytest
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.multicall import Multicall
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.abi import encode_call
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import Artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.places import NODE_MODULES
from headrace.devnet.recipe.tokens import deploy_token, deploy_weth
from headrace.errors import ConfigError
from headrace.model.address import Address, ChainId
from headrace.ports.chain import Call

SOURCE = NODE_MODULES / "viem" / "_cjs" / "constants" / "contracts.js"
BURNER = Address("0x" + "b0" * 20)
BURNER_CODE = "0x5b5f56"  # loops until its gas is gone


class Tokens:
    """Tokens, a contract that burns all gas, and what is asked of them."""

    def __init__(self, anvil: Anvil, multicall: Address, tokens: tuple[Address, ...]) -> None:
        self.anvil = anvil
        self.multicall = multicall
        self.calls = [
            Call(token, bytes.fromhex(encode_call(signature)[2:]))
            for token in (*tokens, BURNER, Address("0x" + "00" * 19 + "ee"), *tokens)
            for signature in ("decimals()", "symbol()", "totalSupply()", "nothing()")
        ]

    def read(self, contract: Address | None) -> tuple[bytes | None, ...]:
        async def ask() -> tuple[bytes | None, ...]:
            options = EvmOptions(url=self.anvil.ws_url, chain_id=ChainId(31337), deadline_seconds=30.0)
            async with EvmChain(options, WallClock()) as chain:
                head = await chain.head()
                return await Multicall(chain, contract).call_many(self.calls, head.hash)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def tokens() -> Iterator[Tokens]:
    if not SOURCE.is_file():
        pytest.skip("the npm package viem, which carries Multicall3's code, is not installed")
    found = re.search(r"multicall3Bytecode = '0x([0-9a-f]+)'", SOURCE.read_text())
    assert found is not None
    with Anvil.start() as anvil, anvil.connect() as rpc:
        deployer = Deployer(rpc)
        multicall = deployer.deploy(Artifact("Multicall3", found[1]))
        made = [deploy_token(deployer, f"T{d}", d, 10**d) for d in (0, 6, 18, 36)]
        made.append(deploy_weth(deployer))
        deployer.flush()
        rpc.request("anvil_setCode", BURNER, BURNER_CODE)
        rpc.request("evm_mine")
        yield Tokens(anvil, multicall, tuple(made))


def test_answers_are_the_nodes_own_whatever_burns_the_gas(tokens: Tokens) -> None:
    one_by_one = tokens.read(None)
    assert tokens.read(tokens.multicall) == one_by_one
    assert sum(answer is None for answer in one_by_one) > 4
    assert sum(bool(answer) for answer in one_by_one) > 20


@pytest.mark.parametrize("which", ["a token", "nobody"])
def test_another_contract_in_its_place_is_named(tokens: Tokens, which: str) -> None:
    place = tokens.calls[0].to if which == "a token" else Address("0x" + "00" * 19 + "ee")
    if which == "a token":
        assert tokens.read(place) == tokens.read(None)  # it reverts, so each call is asked by itself
        return
    with pytest.raises(ConfigError, match="does not answer as Multicall3 does"):
        tokens.read(place)
