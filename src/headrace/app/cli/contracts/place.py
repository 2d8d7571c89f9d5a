"""Which Executor a command looks at, and the node to ask."""

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.app.clock import SystemClock
from headrace.app.config.places import ChainConfig
from headrace.app.config.tree import Config
from headrace.model.address import Address, ChainId

_DEADLINE_SECONDS = 30.0  # of one answer: logs of many blocks take their time


class Place(msgspec.Struct, frozen=True):
    """An Executor at an address of a configured chain."""

    config: Config
    chain: str
    executor: Address

    @property
    def section(self) -> ChainConfig:
        """The chain's configuration."""
        return self.config.chains[self.chain]

    def connect(self) -> EvmChain:
        """The chain, to be entered."""
        chain_id = ChainId(self.section.chain_id)
        options = EvmOptions(url=self.section.rpc.reveal(), chain_id=chain_id, deadline_seconds=_DEADLINE_SECONDS)
        return EvmChain(options, SystemClock())
