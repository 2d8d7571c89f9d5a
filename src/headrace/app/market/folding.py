"""States after the blocks of a file: every log applied in order, then what was read again.

A block that leads off from an earlier one takes the states back to that one first, as the market does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from headrace.adapters.market_files.block_order import branch_before, is_piece
from headrace.adapters.market_files.market_file import LeftOut, RecordedBlock
from headrace.errors import MalformedLogError
from headrace.model.address import PoolId
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.pipeline.market.speakers import Speakers
from headrace.ports.pool import DEX, PoolState

_Before = dict[PoolId, tuple[PoolState | None, str | None]]


class FoldedStates:
    """States that follow a file's blocks.

    Attributes:
        states: of pools that are known.
        lost: pools that a log could not follow, and why, until they are read again.
        left_out: every log of these pools that could not be used.
        passed_over: by first topic ("" for none), how many logs of these pools' contracts nobody folds: of events that
            are known to change no state, and a shared contract's of unknown ones that name none of these pools.
    """

    def __init__(self, start: BlockHeader, states: Iterable[PoolState], dexes: Mapping[ProtocolId, DEX]) -> None:
        """Begin with states after the file's header."""
        self.states: dict[PoolId, PoolState] = {state.pool.id: state for state in states}
        self.lost: dict[PoolId, str] = {}
        self.left_out: list[LeftOut] = []
        self.passed_over: Counter[str] = Counter()
        self._speakers = Speakers(dexes, [state.pool for state in self.states.values()])
        self._dexes = dexes
        self._branch = [start]
        self._before: list[_Before] = [{}]  # parallel to the branch: what each block changed

    def apply(self, block: RecordedBlock) -> None:
        """Go to the end of the next block, or of its next piece."""
        self._enter(block.header)
        for log in block.logs:
            folding = [dex for dex in self._dexes.values() if log.topics and log.topics[0] in dex.topics]
            for dex in folding:
                self._apply_log(dex, log, block.line)
            is_refused = self._refuse_unknown(log, block.line)
            if not folding and not is_refused and log.address in self._speakers:
                self.passed_over[log.topics[0] if log.topics else ""] += 1
        for state in block.states:
            self._set(state.pool.id, state, None)
            self._speakers.enter(state.pool)

    def _enter(self, at: BlockHeader) -> None:
        kept = len(branch_before(self._branch, at))
        for before in reversed(self._before[kept:]):
            for name, (state, why) in before.items():
                self._restore(name, state, why)
        del self._branch[kept:], self._before[kept:]
        if not is_piece(self._branch, at):
            self._branch.append(at)
            self._before.append({})

    def _set(self, name: PoolId, state: PoolState | None, why: str | None) -> None:
        self._before[-1].setdefault(name, (self.states.get(name), self.lost.get(name)))
        self._restore(name, state, why)

    def _restore(self, name: PoolId, state: PoolState | None, why: str | None) -> None:
        self.states.pop(name, None)
        self.lost.pop(name, None)
        if state is not None:
            self.states[name] = state
        if why is not None:
            self.lost[name] = why

    def _apply_log(self, dex: DEX, log: Log, line: int) -> None:
        pool = None
        try:
            pool = dex.pool_of(log)
            before = self.states.get(pool)
            if before is not None and before.pool.protocol == dex.protocol_id:
                self._set(pool, dex.apply(before, log), None)
        except MalformedLogError as error:
            self._lose(dex, log, pool, LeftOut(line, pool or log.address, error.field, str(error), log.log_index))

    def _refuse_unknown(self, log: Log, line: int) -> bool:
        """Lose the pools whose log is of no event that is known, as the market does; whether it is such a log."""
        is_refused = False
        for dex, pool, error in self._speakers.unknown_events(log):
            state = self.states.get(pool)
            if state is not None and state.pool.protocol == dex.protocol_id:
                flaw = LeftOut(line, pool, error.field, str(error), log.log_index)
                self._set(pool, None, str(flaw))
                self.left_out.append(flaw)
            is_refused |= state is not None or pool in self.lost
        return is_refused

    def _lose(self, dex: DEX, log: Log, pool: PoolId | None, flaw: LeftOut) -> None:
        """A log that does not even say of which pool it speaks speaks of any of its contract's."""
        spoken_of = [
            (name, state)
            for name, state in self.states.items()
            if state.pool.protocol == dex.protocol_id
            and (state.pool.address == log.address if pool is None else name == pool)
        ]
        for name, state in spoken_of:
            if not dex.is_outdated(state, log.block_number):  # else it is refused until it is read again
                self._set(name, None, str(flaw))
        if spoken_of:
            self.left_out.append(flaw)
