"""Messages of a Tycho stream (propeller-heads/tycho): a snapshot of Uniswap v2 pairs, then deltas.

Two traps. Reserves are hex in little-endian order, while balances beside them are big-endian: read the other way round
they give prices that are absurd by many orders of magnitude; so where a balance is told, the reserve must equal it. And
a delta tells only what its own block changed: after a delta of a later block, a pair that it does not name is known as
of the earlier message, not as of the delta's block.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from headrace.adapters.market_files.foreign.converted import Converted, unix_seconds
from headrace.adapters.market_files.lines import VERSION, HeaderLine, PoolLine, TokenLine
from headrace.adapters.protocols.document_values import RawDocument
from headrace.model.address import Address, Hash32, PoolId

_PIPS_PER_BPS = 100
_PROTOCOL = "uniswap_v2"
_CHAIN_IDS = {"ethereum": 1}


class Component(msgspec.Struct):
    """A pair's constants."""

    id: str
    chain: str
    tokens: tuple[str, ...]
    static_attributes: dict[str, str]


class State(msgspec.Struct):
    """Its state: attributes in little-endian hex, balances in big-endian."""

    attributes: dict[str, str]
    balances: dict[str, str] = {}


class Pair(msgspec.Struct):
    """Both."""

    state: State
    component: Component


class Block(msgspec.Struct):
    """The message's block."""

    number: int
    hash: str
    parent_hash: str
    ts: str


class Update(msgspec.Struct):
    """What a block changed about a pair."""

    updated_attributes: dict[str, str]


class ToldToken(msgspec.Struct):
    """A token that the stream had not told before."""

    address: str
    symbol: str
    decimals: int


class Balance(msgspec.Struct):
    """A pair's balance of a token, big-endian."""

    balance: str


class Deltas(msgspec.Struct):
    """What a block changed."""

    chain: str
    block: Block
    new_tokens: dict[str, ToldToken]
    state_updates: dict[str, Update]
    new_protocol_components: dict[str, Component]
    component_balances: dict[str, dict[str, Balance]]


class Snapshots(msgspec.Struct):
    """Whole states."""

    states: dict[str, Pair]


class Message(msgspec.Struct):
    """One extractor's part of a message."""

    snapshots: Snapshots
    deltas: Deltas


class Messages(msgspec.Struct):
    """A message of the stream."""

    state_msgs: dict[str, Message]


class _Known(msgspec.Struct):
    component: Component
    as_of: int
    attributes: dict[str, str]
    balances: dict[str, str]


def convert(contents: Sequence[bytes]) -> Converted:
    """The stream's messages, in their order.

    Raises:
        msgspec.DecodeError: it is no such stream.
        ValueError: a number or time is not of its form.
    """
    messages = [msgspec.json.decode(content, type=Messages).state_msgs[_PROTOCOL] for content in contents]
    known: dict[str, _Known] = {}
    tokens: dict[str, ToldToken] = {}
    for message in messages:
        _apply(message, known)
        tokens |= message.deltas.new_tokens
    last, skipped = messages[-1].deltas, Counter[str]()
    pools = [_pool(one, last.block.number, skipped) for one in known.values()]
    return Converted(
        header=_header(last),
        tokens=tuple(
            TokenLine(address=Address(t.address), decimals=t.decimals, symbol=t.symbol) for t in tokens.values()
        ),
        pools=tuple(pool for pool in pools if pool is not None),
        skipped=skipped,
    )


def _header(last: Deltas) -> HeaderLine:
    return HeaderLine(
        version=VERSION,
        chain_id=_CHAIN_IDS[last.chain],
        number=last.block.number,
        timestamp=unix_seconds(last.block.ts),
        hash=Hash32(last.block.hash),
        parent_hash=Hash32(last.block.parent_hash),
        source="tycho",
    )


def _apply(message: Message, known: dict[str, _Known]) -> None:
    number = message.deltas.block.number
    for name, pair in message.snapshots.states.items():
        known[name] = _Known(pair.component, number, pair.state.attributes, pair.state.balances)
    for name, component in message.deltas.new_protocol_components.items():
        known.setdefault(name, _Known(component, number, {}, {}))
    for name, update in message.deltas.state_updates.items():
        if name in known:
            balances = {t: one.balance for t, one in message.deltas.component_balances.get(name, {}).items()}
            before = known[name]
            known[name] = _Known(before.component, number, before.attributes | update.updated_attributes, balances)


def _pool(one: _Known, number: int, skipped: Counter[str]) -> PoolLine | None:
    tokens = tuple(sorted(Address(token.lower()) for token in one.component.tokens))
    if not {"reserve0", "reserve1"} <= one.attributes.keys():
        skipped["no reserves are told"] += 1
        return None
    reserves = [_little_endian(one.attributes[name]) for name in ("reserve0", "reserve1")]
    if not _agrees(dict(zip(tokens, reserves, strict=True)), one.balances):
        skipped["reserves and balances differ"] += 1
        return None
    return PoolLine(
        id=PoolId(one.component.id.lower()),
        protocol=_PROTOCOL,
        tokens=tokens,
        state=RawDocument({"reserve0": str(reserves[0]), "reserve1": str(reserves[1])}),
        fee_pips=int(one.component.static_attributes["fee"], 16) * _PIPS_PER_BPS,
        as_of=None if one.as_of == number else one.as_of,
    )


def _agrees(reserves: Mapping[Address, int], balances: Mapping[str, str]) -> bool:
    return all(reserves.get(Address(token.lower())) == int(balance, 16) for token, balance in balances.items())


def _little_endian(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text.removeprefix("0x")), "little")
