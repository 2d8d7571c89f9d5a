"""The chain and tokens that a command's flags name."""

from headrace.app.config.places import ChainConfig
from headrace.app.config.suggest import did_you_mean
from headrace.app.config.tree import Config
from headrace.errors import ConfigError, UsageError
from headrace.model.address import ZERO_ADDRESS, Address, parse_address
from headrace.model.token import NATIVE_SYMBOL


def known_chain(config: Config, name: str) -> str:
    """The named chain, with protocols on it or not, or the agents' own where no name is given.

    Raises:
        UsageError: the configuration has no such chain.
    """
    if not name:
        return config.chain_name
    if name not in config.chains:
        hint = did_you_mean(name, config.chains) or f"; known are {', '.join(config.chains)}"
        raise UsageError(f"the configuration has no chain {name!r}{hint}")
    return name


def chosen_chain(config: Config, name: str) -> str:
    """The named chain, or the agents' own where no name is given.

    Raises:
        UsageError: the configuration has no such chain, or no protocols on it.
    """
    if known_chain(config, name) not in config.protocols:
        raise UsageError(f"the configuration has no protocols on {name}: add `protocols.{name}`")
    return name or config.chain_name


def chosen_token(chain: ChainConfig, text: str) -> Address:
    """A token by symbol or address; `native` is the native currency, which Uniswap v4 trades as it is.

    Raises:
        UsageError: neither a symbol of the chain nor an address.
    """
    if text in chain.tokens:
        return chain.tokens[text]
    if text == NATIVE_SYMBOL:
        return ZERO_ADDRESS
    if not text.startswith("0x"):
        hint = did_you_mean(text, chain.tokens) or f"; known are {', '.join(chain.tokens)}"
        raise UsageError(f"the chain has no token {text!r}{hint}")
    try:
        return parse_address(text)
    except ConfigError as error:
        raise UsageError(str(error)) from error
