"""The states of all pools: one writer, and readers as of many changes, without a copy of all of them for each.

Idea. What was handed out must never change, but a block changes one pool in a hundred, and copying a reference to each
of them takes as long as a good part of applying it. The writer notes what it replaces anyway, to roll back; so a reader
of an earlier version looks there first, and only then into the writer's own list, which all have in common.

Representation. Versions are a chain from older to newer. Each but the newest holds what the change that ended it
replaced, by index. Seen from a version, the first in the chain that holds an index has its state then; one that none
holds has not been replaced since.

Bounds. Reading the newest version costs one look-up, an older one another for each change since. Whoever is still there
after `CHANGES_MAX` of them gets a copy, so that what old readers keep alive does not grow.

Source: H. G. Baker, "Shallow binding makes functional arrays fast", SIGPLAN Notices 26 (8), 1991.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Generic, TypeVar, overload
from weakref import ref

S = TypeVar("S")
CHANGES_MAX = 64


class _Version(Generic[S]):
    """`replaced` and `later` are there as soon as it is not the newest."""

    __slots__ = ("later", "number", "replaced")

    def __init__(self, number: int) -> None:
        self.number = number
        self.replaced: Mapping[int, S] | None = None
        self.later = self


class StatesAt(Sequence[S]):
    """All states as of one version: a sequence that never changes, equal to any other of equal states."""

    __slots__ = ("__weakref__", "_states", "_version")

    def __init__(self, states: list[S], version: _Version[S]) -> None:
        """Read the writer's list as of a version."""
        self._states = states
        self._version = version

    def __len__(self) -> int:
        return len(self._states)

    @overload
    def __getitem__(self, index: int) -> S: ...

    @overload
    def __getitem__(self, index: slice) -> list[S]: ...

    def __getitem__(self, index: int | slice) -> S | list[S]:
        if isinstance(index, slice):
            return self._copied()[index]
        state, version = self._states[index], self._version
        while version.replaced is not None:
            if index in version.replaced:
                return version.replaced[index]
            version = version.later
        return state if index >= 0 else self[index + len(self)]

    def __iter__(self) -> Iterator[S]:
        return iter(self._copied())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # like a list: it equals tuples, which hash by their states

    def keep(self) -> None:
        """Read a copy from now on, and let go of what has been replaced since."""
        self._states, self._version = self._copied(), _Version(self._version.number)

    def _copied(self) -> list[S]:
        states, changes, version = self._states.copy(), [], self._version
        while version.replaced is not None:
            changes.append(version.replaced)
            version = version.later
        for replaced in reversed(changes):
            for index, state in replaced.items():
                states[index] = state
        return states


class States(Generic[S]):
    """The writer's side: announce a change with `begin`, then write into `now`.

    Attributes:
        now: the newest states.
    """

    def __init__(self, states: list[S]) -> None:
        """Own the list from now on."""
        self.now = states
        self._newest: _Version[S] = _Version(0)
        self._reader: StatesAt[S] | None = None  # of the newest version
        self._earlier: deque[tuple[int, ref[StatesAt[S]]]] = deque()  # each with the number of its version

    def begin(self, replaced: Mapping[int, S]) -> None:
        """Begin a change; `replaced` has an index and what stood there before that index is written.

        It may gain others later, as long as what it gains was there at this moment, too.
        """
        ended = self._newest
        self._newest = _Version(ended.number + 1)
        ended.replaced, ended.later = replaced, self._newest
        if self._reader is not None:
            self._earlier.append((ended.number, ref(self._reader)))
            self._reader = None
        while self._earlier and self._newest.number - self._earlier[0][0] > CHANGES_MAX:
            reader = self._earlier.popleft()[1]()
            if reader is not None:
                reader.keep()

    def reader(self) -> StatesAt[S]:
        """What `now` holds, to be handed out."""
        if self._reader is None:
            self._reader = StatesAt(self.now, self._newest)
        return self._reader
