"""States after the blocks of a file: every log applied in order, then what was read again."""

from collections.abc import Iterable, Mapping

from headrace.adapters.market_files.market_file import RecordedBlock
from headrace.errors import MalformedLogError
from headrace.model.address import PoolId
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX, PoolState


class FoldedStates:
    """States that follow a file's blocks.

    Attributes:
        states: of pools that are known.
        lost: pools that a log could not follow, and why, until they are read again.
    """

    def __init__(self, states: Iterable[PoolState], dexes: Mapping[ProtocolId, DEX]) -> None:
        """Begin with states after the file's header."""
        self.states: dict[PoolId, PoolState] = {state.pool.id: state for state in states}
        self.lost: dict[PoolId, str] = {}
        self._dexes = dexes

    def apply(self, block: RecordedBlock) -> None:
        """Go to the end of the next block."""
        for log in block.logs:
            for dex in self._dexes.values():
                if log.topics and log.topics[0] in dex.topics:
                    self._apply_log(dex, log)
        for state in block.states:
            self.states[state.pool.id] = state
            self.lost.pop(state.pool.id, None)

    def _apply_log(self, dex: DEX, log: Log) -> None:
        pool = None
        try:
            pool = dex.pool_of(log)
            before = self.states.get(pool)
            if before is not None and before.pool.protocol == dex.protocol_id:
                self.states[pool] = dex.apply(before, log)
        except MalformedLogError as error:
            self._lose(dex, log, pool, str(error))

    def _lose(self, dex: DEX, log: Log, pool: PoolId | None, why: str) -> None:
        """A log that does not even say of which pool it speaks speaks of any of its contract's."""
        for name, state in list(self.states.items()):
            speaks_of_it = state.pool.address == log.address if pool is None else name == pool
            if not speaks_of_it or state.pool.protocol != dex.protocol_id:
                continue
            if not dex.is_outdated(state, log.block_number):  # else it is refused until it is read again
                self.lost[name] = why
                del self.states[name]
