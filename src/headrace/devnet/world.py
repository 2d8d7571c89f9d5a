"""A running devnet: the chain, a connection with which the devnet's own parts steer it, and the market on it."""

from types import TracebackType
from typing import Self

from headrace.devnet.anvil import Anvil, AnvilOptions
from headrace.devnet.market import Market
from headrace.devnet.recipe.build import build_market
from headrace.devnet.rpc import Rpc


class Devnet:
    """A chain with a market; use it as a context manager or call `stop`."""

    def __init__(self, anvil: Anvil, rpc: Rpc, market: Market) -> None:
        self.anvil = anvil
        self.rpc = rpc
        self.market = market

    @classmethod
    def start(cls, seed: int, options: AnvilOptions | None = None) -> Self:
        """Start a chain and build the market of `seed` on it.

        Raises:
            DevnetError: anvil, npm packages or compiled contracts are missing, or the port is in use.
        """
        anvil = Anvil.start(options)
        rpc = anvil.connect()
        try:
            return cls(anvil, rpc, build_market(rpc, seed))
        except BaseException:
            rpc.close()
            anvil.stop()
            raise

    def stop(self) -> None:
        """Close the connection and end the chain."""
        self.rpc.close()
        self.anvil.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
