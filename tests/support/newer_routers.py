"""SwapRouter02 and the Universal Router on a devnet, and calls of their swaps, from their published bytecode."""

import msgspec

from headrace.devnet.abi import encode_arguments, encode_call
from headrace.devnet.deployer import Deployer
from headrace.devnet.market import Market
from headrace.devnet.recipe.tokens import approve_all
from headrace.devnet.third_party import third_party_artifact
from headrace.devnet.world import Devnet
from headrace.model.address import ZERO_ADDRESS, Address
from tests.support.public_calls import PublicCall, packed_path, two_pools

_LOCK = "uniswap_routers"
CALLER, ROUTER = Address(f"0x{1:040x}"), Address(f"0x{2:040x}")
_PAIR_CODE_HASH = bytes.fromhex("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
_POOL_CODE_HASH = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
_UNIVERSAL_PARAMETERS = "(address,address,address,address,bytes32,bytes32,address,address,address,address)"
_SINGLE = "((address,address,uint24,address,uint256,uint256,uint160))"
_PATH = "((bytes,address,uint256,uint256))"
_V2 = "(uint256,uint256,address[],address)"
_SWAP = ("address", "uint256", "uint256", "bytes", "bool")
_SWAP_V2 = ("address", "uint256", "uint256", "address[]", "bool")
_EXECUTE = "execute(bytes,bytes[],uint256)"
_LATE = 2**40
_MUCH = 2**127
_BALANCE = 1 << 255


class NewerRouters(msgspec.Struct, frozen=True):
    router_02: Address
    universal: Address


def deploy_newer_routers(devnet: Devnet, sender: Address) -> NewerRouters:
    market, deployer = devnet.market, Deployer(devnet.rpc, sender)
    factories = (market.exchange("uniswap_v2").factory, market.exchange("uniswap_v3").factory)
    router_02 = deployer.deploy(
        third_party_artifact(_LOCK, "SwapRouter02"), ("address",) * 4, *factories, ZERO_ADDRESS, market.wrapped_native
    )
    codes = (_PAIR_CODE_HASH, _POOL_CODE_HASH)
    parameters = (ZERO_ADDRESS, market.wrapped_native, *factories, *codes, *(ZERO_ADDRESS,) * 4)
    universal = deployer.deploy(third_party_artifact(_LOCK, "UniversalRouter"), (_UNIVERSAL_PARAMETERS,), parameters)
    approve_all(deployer, [token.address for token in market.tokens], [router_02])
    deployer.flush()
    return NewerRouters(router_02, universal)


class _Ways(msgspec.Struct, frozen=True):
    """Two pairs, two v3 pools, and a v3 pool that goes on where the pairs end."""

    v2: tuple[Address, ...]
    v3: tuple[Address, ...]
    fees: list[int]
    further: tuple[Address, Address]
    further_fee: int


def newer_calls(market: Market, routers: NewerRouters, sender: Address) -> list[PublicCall]:
    units = {token.address: 10 ** max(token.decimals - 2, 0) for token in market.tokens}
    v3, v2 = market.exchange("uniswap_v3"), two_pools(market.exchange("uniswap_v2")).tokens
    way = two_pools(v3, None, market.wrapped_native)
    pool = next(pool for pool in v3.pools if v2[-1] in pool.tokens)
    further = (v2[-1], next(token for token in pool.tokens if token != v2[-1]))
    ways = _Ways(v2, way.tokens, [one.fee_pips for one in way.pools], further, pool.fee_pips)
    return [*_of_router_02(ways, routers, units, sender), *_of_universal(ways, routers, units, sender)]


def _of_router_02(ways: _Ways, routers: NewerRouters, units: dict[Address, int], sender: Address) -> list[PublicCall]:
    a, b, c = ways.v3
    forwards, backwards = packed_path(ways.v3, ways.fees), packed_path(ways.v3[::-1], ways.fees[::-1])
    given = units[ways.v2[0]]
    calls = {
        "single in": encode_call("exactInputSingle" + _SINGLE, (a, b, ways.fees[0], CALLER, units[a], 1, 0)),
        "single out": encode_call("exactOutputSingle" + _SINGLE, (a, b, ways.fees[0], sender, units[b], _MUCH, 0)),
        "path in": encode_call("exactInput" + _PATH, (forwards, sender, units[a], 1)),
        "path out": encode_call("exactOutput" + _PATH, (backwards, sender, units[c], _MUCH)),
        "pairs in": encode_call("swapExactTokensForTokens" + _V2, given, 1, ways.v2, CALLER),
        "pairs out": encode_call("swapTokensForExactTokens" + _V2, units[ways.v2[-1]], _MUCH, ways.v2, sender),
    }
    chained = (
        encode_call("swapExactTokensForTokens" + _V2, given, 1, ways.v2, ROUTER),
        encode_call("exactInputSingle" + _SINGLE, (*ways.further, ways.further_fee, CALLER, 0, 1, 0)),
    )
    data = encode_call("multicall(uint256,bytes[])", _LATE, [bytes.fromhex(one[2:]) for one in chained])
    made = [PublicCall(name, routers.router_02, one) for name, one in calls.items()]
    return [*made, PublicCall("pairs, then the router's balance", routers.router_02, data, swaps=2)]


def _of_universal(ways: _Ways, routers: NewerRouters, units: dict[Address, int], sender: Address) -> list[PublicCall]:
    """The router is paid beforehand, so that no swap needs Permit2."""
    a, _, c = ways.v3
    first, last = ways.v2[0], ways.v2[-1]
    transfer = "transfer(address,uint256)"
    paid = [
        PublicCall("transfer", token, encode_call(transfer, routers.universal, 10 * units[token]), swaps=0)
        for token in (a, first)
    ]
    backwards = packed_path(ways.v3[::-1], ways.fees[::-1])
    inputs = (
        encode_arguments(_SWAP, sender, units[a], 1, packed_path(ways.v3, ways.fees), False),
        encode_arguments(_SWAP, CALLER, units[c] // 100, _MUCH, backwards, False),
        encode_arguments(_SWAP_V2, CALLER, units[first], 1, ways.v2, False),
        encode_arguments(_SWAP_V2, sender, units[last] // 10, _MUCH, ways.v2, False),
    )
    further = packed_path(ways.further, [ways.further_fee])
    chained = (
        encode_arguments(_SWAP_V2, ROUTER, units[first], 1, ways.v2, False),
        encode_arguments(_SWAP, CALLER, _BALANCE, 1, further, False),
    )
    plan = encode_arguments(("bytes", "bytes[]"), b"\x08\x00", chained)
    every = encode_call(_EXECUTE, b"\x00\x81\x08\x09", inputs, _LATE)
    nested = encode_call(_EXECUTE, b"\x21", (plan,), _LATE)
    return [
        *paid,
        PublicCall("each command", routers.universal, every, swaps=4),
        PublicCall("sub-plan", routers.universal, nested, swaps=2),
    ]
