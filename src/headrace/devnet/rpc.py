"""JSON-RPC for the devnet's own recipe and driver: synchronous, one kept connection, whole batches at once.

It may call what no user of a node may (mine, set balances), so nothing outside the devnet uses it.
"""

import http.client
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import msgspec

from headrace.errors import DevnetError

_TIMEOUT_SECONDS = 60.0
_HTTP_OK = 200


class Call(msgspec.Struct, frozen=True):
    """One request of a batch."""

    method: str
    params: tuple[object, ...] = ()


class RpcFailure(msgspec.Struct, frozen=True):
    """The node's error object; `data` holds revert data where there is any."""

    code: int
    message: str
    data: object = None


class _Answer(msgspec.Struct, frozen=True):
    id: int
    result: object = None
    error: RpcFailure | None = None


class Rpc:
    """A kept connection to a chain on this machine."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
        self._decoder = msgspec.json.Decoder(list[_Answer])

    def request(self, method: str, *params: object) -> object:
        """One call.

        Raises:
            DevnetError: no connection, or the node refused.
        """
        return self.batch([Call(method, params)])[0]

    def batch(self, calls: Iterable[Call]) -> list[object]:
        """Many calls in one round trip; results in the order of the calls.

        Raises:
            DevnetError: no connection, or the node refused one of them.
        """
        asked = list(calls)
        results: list[object] = []
        for call, answer in zip(asked, self.attempt(asked), strict=True):
            if isinstance(answer, RpcFailure):
                raise DevnetError(f"{call.method}: the devnet's chain answered {answer.code} {answer.message}")
            results.append(answer)
        return results

    def attempt(self, calls: Iterable[Call]) -> list[object]:
        """Many calls of which some may be refused: a refusal stands in the place of its result.

        Raises:
            DevnetError: no connection.
        """
        bodies = [
            {"jsonrpc": "2.0", "id": i, "method": call.method, "params": call.params} for i, call in enumerate(calls)
        ]
        if not bodies:
            return []
        answers = sorted(self._decoder.decode(self._post(msgspec.json.encode(bodies))), key=lambda answer: answer.id)
        return [answer.result if answer.error is None else answer.error for answer in answers]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> bytes:
        try:
            self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise DevnetError(f"the devnet's chain does not answer ({error}): start it anew") from error
        if response.status != _HTTP_OK:
            raise DevnetError(f"the devnet's chain answered HTTP {response.status}: start it anew")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def text(value: object) -> str:
    """A result that must be a string."""
    assert isinstance(value, str)
    return value


def quantity(value: object) -> int:
    """A result that must be a hex quantity."""
    return int(text(value), 16)
