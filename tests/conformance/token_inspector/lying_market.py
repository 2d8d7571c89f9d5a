"""A local chain with honest and lying tokens, each in a real pair of Uniswap v2 or pool of Uniswap v3 with WETH."""

import math
from collections.abc import Sequence

from tests.conformance.protocols.local_chain import NodeOnly

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.recipe.tokens import approve_all, deploy_token, deploy_weth
from headrace.devnet.recipe.uniswap_v2 import V2PoolSpec, create_v2_pool, deploy_uniswap_v2
from headrace.devnet.recipe.uniswap_v3 import V3PoolSpec, V3Position, create_v3_pool, deploy_uniswap_v3
from headrace.devnet.rpc import Rpc
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import DEX

UNIT = 10**18
SUPPLY = 10**9 * UNIT
DEPTH = 100 * UNIT
_WIDE = 887_220


class LyingMarket(NodeOnly):
    """`weth` is money; pools are made one by one, with tokens that the deployer holds."""

    def __init__(self, anvil: Anvil, rpc: Rpc) -> None:
        super().__init__(anvil, rpc)
        self.deployer = Deployer(rpc)
        self.weth = deploy_weth(self.deployer, 9000 * UNIT)
        self._v2 = deploy_uniswap_v2(self.deployer, self.weth)
        self._v3 = deploy_uniswap_v3(self.deployer, self.weth)
        approve_all(self.deployer, [self.weth], [self._v2.router, self._v3.positions])
        self.deployer.flush()
        dexes: Sequence[DEX] = (UniswapV2({"uniswap_v2": 3000}), UniswapV3())
        self.dexes = {dex.protocol_id: dex for dex in dexes}

    def honest(self) -> Address:
        return self._known(deploy_token(self.deployer, "HONEST", 18, SUPPLY))

    def token(self, name: str, *numbers: int) -> Address:
        """One of the contracts in contracts/src/devnet, whose constructors take a supply and more numbers."""
        types = (
            "uint256",
            *("uint8" if name in ("TollToken", "StagedToken") and i == 0 else "uint256" for i in range(len(numbers))),
        )
        return self._known(self.deployer.deploy(own_artifact(name), types, SUPPLY, *numbers))

    def pair(self, token: Address, money: Address | None = None, units: int = 2 * DEPTH) -> Pool:
        spec = V2PoolSpec(money or self.weth, token, DEPTH, units)
        return self._described("uniswap_v2", create_v2_pool(self.deployer, self._v2, spec))

    def pool(self, token: Address) -> Pool:
        position = V3Position(-_WIDE, _WIDE, DEPTH, DEPTH)
        tokens = sorted((self.weth, token))
        spec = V3PoolSpec(Address(tokens[0]), Address(tokens[1]), 3000, math.isqrt(1 << 192), (position,))
        return self._described("uniswap_v3", create_v3_pool(self.deployer, self._v3, spec))

    def tell(self, token: Address, signature: str, *args: object) -> None:
        """The token's owner calls it."""
        self.deployer.transact(token, signature, *args)
        self.deployer.flush()

    def _known(self, token: Address) -> Address:
        approve_all(self.deployer, [token], [self._v2.router, self._v3.positions])
        return token

    def _described(self, protocol: str, address: Address) -> Pool:
        self.deployer.flush()
        block, dex = self.head().hash, self.dexes[ProtocolId(protocol)]
        return self.through_chain(lambda chain: dex.describe(chain, protocol, PoolId(address), block))
