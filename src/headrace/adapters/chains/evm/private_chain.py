"""A chain whose transactions go to a private endpoint instead of the node, so that nobody else sees them pending.

The endpoint speaks JSON-RPC over HTTP and takes `eth_sendRawTransaction`, as relays with a "protect" service do.
Everything else is asked of the node. What an endpoint does with a transaction is its operator's promise, not a proof.
"""

import asyncio
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as HttpRequest

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain, is_already_known
from headrace.adapters.chains.evm.frame import Frame, Request
from headrace.adapters.chains.evm.hexadecimal import write_bytes
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.errors import ConfigError, MalformedAnswerError, NodeTimeoutError, NodeUnreachableError, RpcError
from headrace.model.transaction import SignedTransaction
from headrace.ports.clock import Clock

_METHOD = "eth_sendRawTransaction"
_ANSWER_BYTES_MAX = 1 << 20
_SCHEMES = ("http", "https")
_frames = msgspec.json.Decoder(Frame)


class PrivateEvmChain(EvmChain):
    """An EVM chain that sends by another road than it reads."""

    def __init__(self, options: EvmOptions, clock: Clock, private_url: str) -> None:
        """Keep the endpoint; its address may hold a key, so no error ever quotes more than its host.

        Raises:
            ConfigError: it is no http or https URL.
        """
        super().__init__(options, clock)
        parts = urlsplit(private_url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ConfigError("a private endpoint is an http or https URL", "private_rpc")
        if not private_url.isascii():
            raise ConfigError("a private endpoint's address is plain ASCII", "private_rpc")
        self._private_url = private_url
        self._opener = build_opener(ProxyHandler({}))  # no proxy of the environment sees what is private
        self._host = parts.hostname

    async def send(self, transaction: SignedTransaction) -> None:
        """Hand signed bytes to the private endpoint alone.

        Raises:
            NodeUnreachableError: no answer; the endpoint may hold the transaction all the same.
            RpcError: refused.
            MalformedAnswerError: the answer is no JSON-RPC.
        """
        body = msgspec.json.encode(Request(1, _METHOD, (write_bytes(transaction.raw),)))
        try:
            async with asyncio.timeout(self._options.deadline_seconds):  # a socket's own limit counts each read anew
                frame = _decoded(await asyncio.to_thread(self._post, body))
        except TimeoutError as error:
            raise NodeTimeoutError(f"the private endpoint at {self._host} did not answer in time") from error
        if frame.error is not None and not is_already_known(frame.error.message):
            raise RpcError(_METHOD, frame.error.code, frame.error.message, frame.error.revert_data)

    def _post(self, body: bytes) -> bytes:
        request = HttpRequest(self._private_url, body, {"Content-Type": "application/json"})  # noqa: S310 - http(s), checked
        try:
            with self._opener.open(request, timeout=self._options.deadline_seconds) as answer:
                data: bytes = answer.read(_ANSWER_BYTES_MAX)
                return data
        except TimeoutError as error:
            raise NodeTimeoutError(f"the private endpoint at {self._host} did not answer in time") from error
        except HTTPError as error:
            error.close()
            raise RpcError(_METHOD, error.code, f"{self._host} answered HTTP {error.code}") from None
        except (OSError, HTTPException) as error:
            raise NodeUnreachableError(f"the private endpoint at {self._host} does not answer: {error}") from None


def _decoded(data: bytes) -> Frame:
    try:
        frame = _frames.decode(data)
    except msgspec.MsgspecError as error:
        raise MalformedAnswerError(_METHOD, str(error)) from error
    if frame.error is None and not bytes(frame.result):
        raise MalformedAnswerError(_METHOD, "neither a result nor an error")
    return frame
