"""One call of each swap function of the devnet's public contracts, encoded by a library that the decoder has not."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from headrace.devnet.abi import encode_call
from headrace.devnet.market import Exchange, Market, MarketPool
from headrace.model.address import ZERO_ADDRESS, Address

_LATE = 2**40
_MUCH = 2**127
_ETHER = 10**15
_TOKENS = "(uint256,uint256,address[],address,uint256)"
_VALUE = "(uint256,address[],address,uint256)"
_SINGLE = "((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_PATH = "((bytes,address,uint256,uint256,uint256))"
_SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
_BATCH = (
    "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
)


class PublicCall(msgspec.Struct, frozen=True):
    name: str
    to: Address
    data: str
    value_wei: int = 0
    swaps: int = 1


class Way(msgspec.Struct, frozen=True):
    """Two pools in a row, of one exchange."""

    pools: tuple[MarketPool, MarketPool]
    tokens: tuple[Address, Address, Address]


def public_calls(market: Market, sender: Address) -> list[PublicCall]:
    units = {token.address: 10 ** max(token.decimals - 2, 0) for token in market.tokens}
    made = list(_router02(market, market.exchange("uniswap_v2"), units, sender))
    made += _swap_router(market, market.exchange("uniswap_v3"), units, sender)
    made += _vault(market, market.exchange("balancer_v2"), units, sender)
    return made + _pair(market.exchange("uniswap_v2"), units, sender)


def _ways(exchange: Exchange) -> Iterator[Way]:
    for first in exchange.pools:
        for second in exchange.pools:
            for middle in set(first.tokens) & set(second.tokens) if first != second else ():
                ends = [(a, b) for a in first.tokens for b in second.tokens if len({a, b, middle}) == 3]
                yield from (Way((first, second), (a, middle, b)) for a, b in ends)


def two_pools(exchange: Exchange, token_in: Address | None = None, token_out: Address | None = None) -> Way:
    fitting = (
        way for way in _ways(exchange) if token_in in {None, way.tokens[0]} and token_out in {None, way.tokens[-1]}
    )
    return next(fitting)


def _router02(market: Market, exchange: Exchange, units: dict[Address, int], sender: Address) -> Iterable[PublicCall]:
    weth = market.wrapped_native
    any_, from_weth, to_weth = two_pools(exchange), two_pools(exchange, weth), two_pools(exchange, None, weth)

    def call(name: str, types: str, *args: object, value_wei: int = 0) -> PublicCall:
        return PublicCall(name, exchange.router, encode_call(name + types, *args), value_wei)

    for way, names in (
        (any_, ("swapExactTokensForTokens", "swapExactTokensForTokensSupportingFeeOnTransferTokens")),
        (to_weth, ("swapExactTokensForETH", "swapExactTokensForETHSupportingFeeOnTransferTokens")),
    ):
        for name in names:
            yield call(name, _TOKENS, units[way.tokens[0]], 1, way.tokens, sender, _LATE)
    for way, name in ((any_, "swapTokensForExactTokens"), (to_weth, "swapTokensForExactETH")):
        yield call(name, _TOKENS, units[way.tokens[-1]], _MUCH, way.tokens, sender, _LATE)
    for name in ("swapExactETHForTokens", "swapExactETHForTokensSupportingFeeOnTransferTokens"):
        yield call(name, _VALUE, 1, from_weth.tokens, sender, _LATE, value_wei=_ETHER)
    bought = units[from_weth.tokens[-1]] // 100
    yield call("swapETHForExactTokens", _VALUE, bought, from_weth.tokens, sender, _LATE, value_wei=10**18)


def _swap_router(market: Market, exchange: Exchange, units: dict[Address, int], sender: Address) -> list[PublicCall]:
    way = two_pools(exchange, token_in=None, token_out=market.wrapped_native)
    first, last = way.tokens[0], way.tokens[-1]
    fees = [pool.fee_pips for pool in way.pools]
    pair = way.tokens[:2]
    data = {
        "exactInputSingle" + _SINGLE: (*pair, fees[0], sender, _LATE, units[first], 1, 0),
        "exactOutputSingle" + _SINGLE: (*pair, fees[0], sender, _LATE, units[pair[1]], _MUCH, 0),
        "exactInput" + _PATH: (packed_path(way.tokens, fees), sender, _LATE, units[first], 1),
        "exactOutput" + _PATH: (packed_path(way.tokens[::-1], fees[::-1]), sender, _LATE, units[last], _MUCH),
    }
    encoded = {signature: encode_call(signature, args) for signature, args in data.items()}
    made = [PublicCall(signature, exchange.router, one) for signature, one in encoded.items()]
    to_router = encode_call("exactInput" + _PATH, (packed_path(way.tokens, fees), ZERO_ADDRESS, _LATE, units[first], 1))
    parts = [
        bytes.fromhex(one[2:])
        for one in (
            encoded["exactInputSingle" + _SINGLE],
            to_router,
            encode_call("unwrapWETH9(uint256,address)", 1, sender),
            encode_call("refundETH()"),
        )
    ]
    return [*made, PublicCall("multicall", exchange.router, encode_call("multicall(bytes[])", parts), swaps=2)]


def packed_path(tokens: tuple[Address, ...], fees: list[int]) -> bytes:
    start = bytes.fromhex(tokens[0][2:])
    pairs = zip(fees, tokens[1:], strict=True)
    return start + b"".join(fee.to_bytes(3, "big") + bytes.fromhex(token[2:]) for fee, token in pairs)


def _vault(market: Market, exchange: Exchange, units: dict[Address, int], sender: Address) -> Iterable[PublicCall]:
    funds = (sender, False, sender, False)
    way, from_weth = two_pools(exchange), two_pools(exchange, market.wrapped_native)
    ids = [bytes.fromhex(pool.id[2:]) for pool in way.pools]
    first, middle, last = way.tokens
    limits = (_MUCH, 0, 0)

    def swap(name: str, kind: int, assets: tuple[Address, Address], amount: int, value_wei: int = 0) -> PublicCall:
        pool = from_weth.pools[0].id if value_wei else way.pools[0].id
        single = (bytes.fromhex(pool[2:]), kind, *assets, amount, b"")
        data = encode_call(_SWAP, single, funds, _MUCH if kind else 1, _LATE)
        return PublicCall(name, exchange.router, data, value_wei)

    def batch(name: str, kind: int, steps: Sequence[tuple[object, ...]], swaps: int = 1) -> PublicCall:
        data = encode_call(_BATCH, kind, steps, way.tokens, funds, limits, _LATE)
        return PublicCall(name, exchange.router, data, swaps=swaps)

    yield swap("swap given in", 0, (first, middle), units[first])
    yield swap("swap given out", 1, (first, middle), units[middle])
    yield swap("swap of the coin", 0, (ZERO_ADDRESS, from_weth.tokens[1]), _ETHER, _ETHER)
    forwards = [(ids[0], 0, 1, units[first], b""), (ids[1], 1, 2, 0, b"")]
    backwards = [(ids[1], 1, 2, units[last], b""), (ids[0], 0, 1, 0, b"")]
    yield batch("batch given in", 0, forwards)
    yield batch("batch given out", 1, backwards)
    apart = [(ids[0], 0, 1, units[first], b""), (ids[1], 1, 2, 1000, b"")]
    yield batch("batch of two swaps", 0, apart, swaps=2)


def _pair(exchange: Exchange, units: dict[Address, int], sender: Address) -> list[PublicCall]:
    """Tokens sent to a pair, then its own `swap`."""
    pool = exchange.pools[0]
    paid, bought = pool.tokens
    return [
        PublicCall(
            "transfer", paid, encode_call("transfer(address,uint256)", pool.address, 100 * units[paid]), swaps=0
        ),
        PublicCall(
            "pair.swap",
            pool.address,
            encode_call("swap(uint256,uint256,address,bytes)", 0, units[bought] // 1000, sender, b""),
        ),
    ]
