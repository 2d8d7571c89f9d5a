"""Verdicts on tokens, kept between runs in one small JSON file for each chain.

The file is replaced whole, by a rename, so that a reader never sees half of it. Nothing depends on it: a token without
a verdict is checked again.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from headrace.errors import StoreError
from headrace.model.address import ChainId
from headrace.model.codec import to_json
from headrace.model.token_verdict import TOLERATED, TokenVerdict

_VERSION = 1
_BYTES_MAX = 1 << 26


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    chain_id: int
    verdicts: tuple[TokenVerdict, ...]


_decoder = msgspec.json.Decoder(_File, strict=True)


class VerdictFile:
    """One chain's file; it need not exist yet."""

    def __init__(self, path: Path, chain_id: ChainId) -> None:
        """Keep the path."""
        self.path = path
        self._chain_id = chain_id

    def read(self) -> tuple[TokenVerdict, ...]:
        """Everything kept; nothing where there is no file.

        Raises:
            StoreError: the file cannot be read, is another chain's, of another version, or contradicts itself.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_BYTES_MAX)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror})") from error
        try:
            kept = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise StoreError(f"{self.path}: {error}; delete it, and every token is checked again") from error
        self._require(kept.version == _VERSION, f"version {kept.version} is not {_VERSION}")
        self._require(kept.chain_id == self._chain_id, f"chain {kept.chain_id} is not {self._chain_id}")
        for one in kept.verdicts:
            self._require(one.is_fit == (one.lie is None or one.lie in TOLERATED), f"{one.token} is fit and lies")
            self._require(one.checked_block <= one.expires_block, f"{one.token} expires before it was checked")
        tokens = {one.token for one in kept.verdicts}
        self._require(len(tokens) == len(kept.verdicts), "a token is listed twice")
        return kept.verdicts

    def write(self, verdicts: Iterable[TokenVerdict]) -> None:
        """Replace everything.

        Raises:
            StoreError: the file cannot be written.
        """
        body = to_json(_File(_VERSION, self._chain_id, tuple(verdicts)))
        waiting = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            waiting.write_bytes(body)
            waiting.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror})") from error

    def _require(self, holds: bool, why: str) -> None:  # noqa: FBT001 - the claim that is made
        if not holds:
            raise StoreError(f"{self.path}: {why}; delete it, and every token is checked again")
