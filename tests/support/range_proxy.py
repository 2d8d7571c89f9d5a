"""A node proxy that refuses wide log queries in the words of a provider."""

import msgspec

from tests.support.node_proxy import NodeProxy


class _Filter(msgspec.Struct, rename="camel"):
    from_block: str = ""
    to_block: str = ""


class _Asked(msgspec.Struct):
    method: str
    id: msgspec.Raw
    params: msgspec.Raw


class Words(msgspec.Struct, frozen=True):
    """How a provider refuses: its code and its sentence, in which {first} and {last} are an example that would do."""

    code: int
    sentence: str


ALCHEMY = Words(
    -32602,
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the"
    " response size, or you can request any block range with a cap of 10K logs in the response. Based on your"
    " parameters and the response size limit, this block range should work: [{first}, {last}]",
)
INFURA = Words(-32005, "query returned more than 10000 results")
QUICKNODE = Words(-32614, "eth_getLogs is limited to a {blocks} range")
ERIGON = Words(-32602, "query block range exceeds server limit, narrow your filter: {blocks}")
GETH = Words(-32002, "request timed out")


class RangeProxy(NodeProxy):
    """Answers queries of at most `blocks_max` blocks."""

    def __init__(self, node_port: int, blocks_max: int, words: Words) -> None:
        super().__init__(node_port)
        self.blocks_max = blocks_max
        self.words = words
        self.ranges_refused = 0

    def refusals(self, frame: bytes) -> bytes | None:
        """As the proxy's own, and for a range that is too wide."""
        if b'"eth_getLogs"' in frame:
            asked = msgspec.json.decode(frame, type=_Asked)
            (query,) = msgspec.json.decode(asked.params, type=tuple[_Filter])
            first, last = int(query.from_block or "0x0", 16), int(query.to_block or "0x0", 16)
            if last - first + 1 > self.blocks_max:
                self.seen["eth_getLogs"] += 1
                self.ranges_refused += 1
                return self._too_wide(asked.id, first)
        return super().refusals(frame)

    def _too_wide(self, request: msgspec.Raw, first: int) -> bytes:
        example = {"first": hex(first), "last": hex(first + self.blocks_max - 1), "blocks": f"{self.blocks_max:,}"}
        error = {"code": self.words.code, "message": self.words.sentence.format(**example)}
        return b'{"jsonrpc":"2.0","id":' + bytes(request) + b',"error":' + msgspec.json.encode(error) + b"}"
