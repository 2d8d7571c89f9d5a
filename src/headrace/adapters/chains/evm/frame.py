"""JSON-RPC 2.0 frames: requests out, answers and notifications in."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from headrace.model.codec import JsonValue

Params: TypeAlias = Sequence[JsonValue]
_ABSENT = msgspec.Raw(b"")


class Request(msgspec.Struct):
    """One call."""

    id: int
    method: str
    params: Params
    jsonrpc: str = "2.0"


class ErrorObject(msgspec.Struct, frozen=True):
    """The node's refusal; `data` is a string (revert data), or whatever the node likes to say."""

    code: int
    message: str = ""
    data: msgspec.Raw = _ABSENT

    @property
    def revert_data(self) -> str:
        """0x hex, or empty where the node gave none."""
        text = bytes(self.data)
        return text[1:-1].decode() if text.startswith(b'"0x') else ""

    @property
    def is_revert(self) -> bool:
        """Whether the contract, not the node, refused: geth, anvil, erigon and nethermind word it differently.

        Running out of gas, of stack or into nowhere is the contract's doing, too: among many calls it is that call's
        failure and no other's.
        """
        words = self.message.lower()
        return self.code in _REVERT_CODES or any(w in words for w in _REVERT_WORDS)


_REVERT_CODES = (3, -32015)  # geth and its heirs; nethermind and parity
_REVERT_WORDS = (
    *("revert", "invalid opcode", "invalidfeopcode", "vm execution error", "opcodenotfound"),
    *("evm error", "out of gas", "outofgas", "invalid jump", "stack underflow", "stack limit", "write protection"),
    "return data out of bounds",
)


class Notification(msgspec.Struct, frozen=True):
    """What a subscription pushes."""

    subscription: str
    result: msgspec.Raw


class Frame(msgspec.Struct):
    """An answer (with `id`) or a notification (with `method` and `params`)."""

    id: int | None = None
    result: msgspec.Raw = _ABSENT
    error: ErrorObject | None = None
    method: str = ""
    params: Notification | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Frame | list[Frame])


def encode_request(request: Request) -> bytes:
    """One request as a frame."""
    return _encoder.encode(request)


def encode_batch(requests: Sequence[Request]) -> bytes:
    """Many requests as one frame."""
    return _encoder.encode(requests)


def decode_frames(data: bytes) -> Sequence[Frame]:
    """The answers and notifications in one frame.

    Raises:
        ValueError: it is no JSON-RPC.
    """
    try:
        frames = _decoder.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return frames if isinstance(frames, list) else (frames,)
