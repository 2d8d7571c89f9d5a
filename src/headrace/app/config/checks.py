"""What no single value shows: names that must exist elsewhere, contracts a protocol needs, things said twice."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import msgspec

from headrace.app.config.kind import PROTOCOLS
from headrace.app.config.money import Money
from headrace.app.config.places import ChainConfig, Follow, Venue
from headrace.app.config.reader import Path, Places, dotted
from headrace.app.config.suggest import did_you_mean
from headrace.app.config.token_file import TokenFile
from headrace.app.config.tree import Config
from headrace.errors import ConfigError
from headrace.model.pool import ProtocolId

if TYPE_CHECKING:
    from headrace.model.address import PoolId

STRATEGY_GROUP = "headrace.strategies"
AGENT_TYPES = ("arbitrage",)
_LENDERS = ("balancer_v2", "balancer_v3", "uniswap_v3", "uniswap_v4", "aave_v3", "morpho", "erc3156")
_NEEDED = {
    "uniswap_v2": ("factory", "fee_bps"),
    "uniswap_v3": ("factory",),
    "uniswap_v4": ("vault",),
    "balancer_v2": ("vault",),
    "balancer_v2_stable": ("vault",),
    "balancer_v3": ("vault",),
    "curve_stableswap": (),
    "curve_cryptoswap": (),
    "solidly": ("factory",),
    "aave_v3": ("pool",),
    "morpho": ("pool",),
    "erc3156": ("pool",),
}
_ALLOWED = {
    "uniswap_v2": {"factory", "router", "fee_bps", "pools", "discover", "init_code_hash"},
    "uniswap_v3": {"factory", "deployer", "router", "pools", "discover", "init_code_hash"},
    "uniswap_v4": {"vault", "positions", "pools", "discover"},
    "balancer_v2": {"vault", "pools", "discover"},
    "balancer_v2_stable": {"vault", "pools", "discover"},
    "balancer_v3": {"vault", "pools", "discover"},
    "curve_stableswap": {"factory", "pools", "discover"},
    "curve_cryptoswap": {"factory", "pools", "discover"},
    "solidly": {"factory", "router", "fee_bps", "pools", "discover", "init_code_hash"},
    "aave_v3": {"pool", "oracle"},
    "morpho": {"pool"},
    "erc3156": {"pool"},
}
_NAMED_BY_ID = {"uniswap_v4", "balancer_v2", "balancer_v2_stable"}
_ADDRESS_LENGTH = 42


def check(config: Config, places: Places) -> Config:
    """The configuration with the venues' protocols filled in.

    Raises:
        ConfigError: the first contradiction.
    """
    checks = _Checks(places)
    config = msgspec.structs.replace(config, protocols=checks.venues(config))
    for name, chain in config.chains.items():
        checks.chain(("defi", "chains", name), chain)
    checks.agents(config)
    checks.limits(config)
    checks.lenders(config)
    return config


class _Checks:
    def __init__(self, places: Places) -> None:
        self._places = places

    def venues(self, config: Config) -> Mapping[str, Mapping[str, Venue]]:
        path = ("defi", "protocols")
        checked = {}
        for chain, venues in config.protocols.items():
            self._known((*path, chain), "chain", chain, config.chains)
            filled = {name: self._venue((*path, chain, name), name, venue) for name, venue in venues.items()}
            self._distinct_pools((*path, chain), filled)
            checked[chain] = MappingProxyType(filled)
        return MappingProxyType(checked)

    def _venue(self, path: Path, name: str, venue: Venue) -> Venue:
        if not venue.protocol and name not in PROTOCOLS:
            self._refuse(path, f"`protocol` is missing: {name!r} is none, so say whose code it is")
        venue = msgspec.structs.replace(venue, protocol=venue.protocol or ProtocolId(name))
        optional = {
            "fee_bps": venue.fee_pips is not None,
            "pools": bool(venue.pools),
            "discover": venue.discover is not None,
            "init_code_hash": venue.init_code_hash is not None,
        }
        given = {*venue.contracts, *(key for key, is_given in optional.items() if is_given)}
        for key in _NEEDED[venue.protocol]:
            if key not in given:
                self._refuse(path, f"`{key}` is missing and has no default: {venue.protocol} needs it")
        for key in sorted(given - _ALLOWED[venue.protocol]):
            self._refuse((*path, key), f"{venue.protocol} has no `{key}`: remove it")
        self._pool_form(path, venue)
        return venue

    def _pool_form(self, path: Path, venue: Venue) -> None:
        in_vault = venue.protocol in _NAMED_BY_ID
        for i, pool in enumerate(venue.pools):
            if (len(pool) > _ADDRESS_LENGTH) != in_vault:
                wanted = "32-byte ids in the vault" if in_vault else "addresses"
                self._refuse((*path, "pools", str(i)), f"pools of {venue.protocol} are given as {wanted}")

    def _distinct_pools(self, path: Path, venues: Mapping[str, Venue]) -> None:
        seen: dict[PoolId, Path] = {}
        for name, venue in venues.items():
            for i, pool in enumerate(venue.pools):
                place = (*path, name, "pools", str(i))
                if pool in seen:
                    self._refuse(place, f"pool {pool} was already listed in line {self._places[seen[pool]].line}")
                seen[pool] = place

    def chain(self, path: Path, chain: ChainConfig) -> None:
        self._known((*path, "wrapped_native"), "token", chain.wrapped_native, chain.tokens)
        self._names((*path, "start_tokens"), "token", chain.start_tokens, chain.tokens)
        for symbol in chain.price_feeds:
            self._known((*path, "price_feeds", symbol), "token", symbol, chain.tokens)
        self._distinct_tokens((*path, "tokens"), chain)
        self._token_lists((*path, "token_check"), chain)
        self._rising((*path, "gas_thresholds"), chain)
        if chain.gas_thresholds.max_cost_usd is not None:
            self._priced((*path, "gas_thresholds", "max_cost_usd"), chain.gas_thresholds.max_cost_usd, chain)
        if chain.follow_pending and not chain.visibility.is_visible:
            why = f"its pending transactions are hidden: {chain.visibility.hidden_because}; leave it out"
            self._refuse((*path, "follow_pending"), why)
        if chain.follow is not None:
            self._follow((*path, "follow"), chain, chain.follow)

    def _follow(self, path: Path, chain: ChainConfig, follow: Follow) -> None:
        if follow.min_depth_usd is not None:
            self._priced((*path, "min_depth_usd"), follow.min_depth_usd, chain)
        if follow.wants_depth and not chain.price_feeds:
            self._refuse(path, "depth is counted in dollars: give the price feed of a token under `price_feeds`")

    def _distinct_tokens(self, path: Path, chain: ChainConfig) -> None:
        seen: dict[str, str] = {}
        for symbol, address in chain.tokens.items():
            if address in seen:
                self._refuse((*path, symbol), f"this is also the address of {seen[address]}: one token, one symbol")
            seen[address] = symbol

    def _token_lists(self, path: Path, chain: ChainConfig) -> None:
        seen: dict[str, Path] = {}
        for name in ("allowed", "blocked"):
            for i, token in enumerate(getattr(chain.token_check, name)):
                place = (*path, name, str(i))
                if token in seen:
                    why = f"token {token} was already listed in line {self._places[seen[token]].line}: choose one"
                    self._refuse(place, why)
                seen[token] = place
            self._token_file((*path, f"{name}_file"), getattr(chain.token_check, f"{name}_file"), seen)

    def _token_file(self, path: Path, listed: TokenFile | None, seen: dict[str, Path]) -> None:
        for token in listed.tokens if listed else ():
            if token in seen:
                line = self._places[seen[token]].line
                self._refuse(path, f"token {token} in this file was already listed by line {line}: choose one")
            seen[token] = path

    def _rising(self, path: Path, chain: ChainConfig) -> None:
        gas = chain.gas_thresholds
        named = (gas.ultra_low_wei, gas.low_wei, gas.medium_wei, gas.high_wei, gas.extreme_wei)
        levels = [level for level in named if level is not None]
        if any(a >= b for a, b in pairwise(levels)):
            self._refuse(path, "the levels must rise strictly, from ultra_low_gwei to extreme_gwei")

    def agents(self, config: Config) -> None:
        path = ("defi", "agents")
        if not config.agents:
            self._refuse(path, "no agent is listed: name one")
        if len(config.agents) > 1:
            self._refuse((*path, "1"), "one agent runs from a file: list all strategies under it, or use another file")
        strategies = {entry.name for entry in entry_points(group=STRATEGY_GROUP)}
        for i, agent in enumerate(config.agents):
            at = (*path, str(i))
            self._known((*at, "type"), "agent type", agent.type, AGENT_TYPES)
            self._known((*at, "chain"), "chain", agent.chain, config.chains)
            self._known((*at, "chain"), "chain with protocols", agent.chain, config.protocols)
            self._names((*at, "strategies"), "strategy", agent.strategies, strategies)

    def limits(self, config: Config) -> None:
        arbitrage = config.strategies.arbitrage
        section = ("defi", "strategies", "arbitrage")
        for key in ("min_profit_usd", "max_trade_size_usd", "max_position_usd"):
            self._priced((*section, key), getattr(arbitrage, key), config.chain)
        self._priced(("defi", "risk", "max_daily_loss_usd"), config.risk.max_daily_loss_usd, config.chain)
        self._exposure(config)
        trade, position = arbitrage.max_trade_size_usd, arbitrage.max_position_usd
        if trade.unit == position.unit and trade.scaled > position.scaled:
            why = f"one trade may be {trade}, all together only {position}: lower the first or raise the second"
            self._refuse((*section, "max_trade_size_usd"), why)

    def _exposure(self, config: Config) -> None:
        path, caps = ("defi", "risk", "max_exposure_usd"), config.risk.max_exposure_usd
        named: tuple[tuple[str, str, Mapping[str, Money], Iterable[str]], ...] = (
            ("tokens", "token", caps.tokens, config.chain.tokens),
            ("venues", "venue", caps.venues, config.venues),
            ("strategies", "strategy", caps.strategies, config.agents[0].strategies),
            ("chains", "chain", caps.chains, config.chains),
        )
        for section, what, entries, known in named:
            for name, money in entries.items():
                self._known((*path, section, name), what, name, known)
                self._priced((*path, section, name), money, config.chain)

    def lenders(self, config: Config) -> None:
        path = ("defi", "execution", "flash_loan", "lenders")
        lenders = config.execution.flash_loan.lenders
        if lenders:
            self._names(path, "venue", lenders, config.venues)
        for i, name in enumerate(lenders):
            protocol = config.venues[name].protocol
            if protocol not in _LENDERS:
                self._refuse((*path, str(i)), f"{protocol} lends nothing; lenders are {', '.join(_LENDERS)}")

    def _priced(self, path: Path, money: Money, chain: ChainConfig) -> None:
        if not money.is_usd:
            self._known(path, "token with a price feed", money.unit, chain.price_feeds)

    def _names(self, path: Path, what: str, names: Iterable[str], known: Iterable[str]) -> None:
        listed = tuple(names)
        if not listed:
            self._refuse(path, f"the list is empty: name at least one {what}")
        for i, name in enumerate(listed):
            self._known((*path, str(i)), what, name, known)
            if name in listed[:i]:
                self._refuse((*path, str(i)), f"{name!r} is listed twice: remove one")

    def _known(self, path: Path, what: str, name: str, known: Iterable[str]) -> None:
        if name not in known:
            hint = did_you_mean(name, known) or f"; known are {', '.join(sorted(known)) or 'none'}"
            self._refuse(path, f"there is no {what} {name!r}{hint}")

    def _refuse(self, path: Path, why: str) -> NoReturn:
        raise ConfigError(f"{dotted(path)}: {why}", str(self._places[path]))
