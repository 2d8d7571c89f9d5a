"""The whole configuration: what stands under the top key `defi`."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from headrace.app.config.kind import Contract, Name, PathText, SecretRef
from headrace.app.config.places import ChainConfig, Venue
from headrace.app.config.trading import Execution, Risk, Strategies


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One agent.

    Attributes:
        type: `arbitrage`.
        chain: the chain it works on, a key of `chains`.
        strategies: what it looks for: names of installed strategies (`spatial`, `triangular`).
    """

    type: Name
    chain: Name
    strategies: tuple[Name, ...]


class WalletConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The key that signs for the agents.

    Attributes:
        keystore: folder of encrypted keys, made by `headrace wallet create`.
        address: which of them; it is an operator of the Executor.
        passphrase: opens the key where nobody is there to type it.
    """

    keystore: PathText
    address: Contract
    passphrase: SecretRef | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is configured.

    Attributes:
        strategies: limits by kind of strategy.
        execution: money, gas and deadlines.
        risk: limits over everything.
        protocols: venues by chain and name.
        chains: chains by name.
        agents: what runs; all on one chain, that of the Executor.
        wallet: who signs; needed for live trading only.
        data_dir: folder of the journal and everything else that is written.
    """

    strategies: Strategies
    execution: Execution
    risk: Risk
    protocols: Mapping[Name, Mapping[Name, Venue]]
    chains: Mapping[Name, ChainConfig]
    agents: tuple[AgentConfig, ...]
    wallet: WalletConfig | None = None
    data_dir: PathText

    @property
    def journal_path(self) -> Path:
        """The journal's file."""
        return self.data_dir / "journal.sqlite"

    def verdicts_path(self, chain_name: str) -> Path:
        """The file of a chain's verdicts on tokens."""
        return self.data_dir / f"tokens-{chain_name}.json"

    def deployments_path(self, chain_name: str) -> Path:
        """The file of what was signed to deploy and set up contracts on a chain."""
        return self.data_dir / f"deployments-{chain_name}.json"

    @property
    def chain_name(self) -> str:
        """The one chain that the agents work on."""
        return self.agents[0].chain

    @property
    def chain(self) -> ChainConfig:
        """That chain's section."""
        return self.chains[self.chain_name]

    @property
    def venues(self) -> Mapping[str, Venue]:
        """That chain's venues by name."""
        return self.protocols[self.chain_name]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration file.

    Attributes:
        defi: the only key at the top.
    """

    defi: Config
