"""ABI words: 32 bytes, big-endian, of which calls, answers and logs of these protocols are made.

Everything read here came from a node or a foreign contract, so nothing is taken for granted: `ValueError` says what is
wrong, and the protocol turns it into the error that names the pool.
"""

from struct import Struct

from headrace.model.address import Address, Hash32, PoolId, keccak_hex

_WORD = 32
_ONE_WORD = Struct(f"{_WORD}s")
_HEX_WORD = 64
_ADDRESS_BITS = 160
_SIGN_BIT = 255


def topic(signature: str) -> Hash32:
    """First topic of the event `Name(types)`."""
    return keccak_hex(signature.encode())


def topics_of(*signatures: str) -> frozenset[Hash32]:
    """First topics of events, each as for `topic`."""
    return frozenset(topic(signature) for signature in signatures)


def call_data(signature: str, *arguments: int) -> bytes:
    """Calldata of `name(types)` with static arguments, each as an unsigned word."""
    selector = bytes.fromhex(keccak_hex(signature.encode())[2:10])
    return selector + b"".join(argument.to_bytes(_WORD, "big") for argument in arguments)


def words_of_bytes(data: bytes) -> tuple[int, ...]:
    """Unsigned words.

    Raises:
        ValueError: not whole words.
    """
    if len(data) % _WORD:
        raise ValueError(f"{len(data)} bytes are not whole words")
    return tuple([int.from_bytes(word) for (word,) in _ONE_WORD.iter_unpack(data)])


def words_of_hex(data: str, count: int | None = None) -> tuple[int, ...]:
    """Unsigned words of 0x hex, exactly `count` of them where it is given.

    Raises:
        ValueError: not hex, not whole words, or another number of them.
    """
    if not data.startswith("0x"):
        raise ValueError("no 0x hex")
    words = words_of_bytes(bytes.fromhex(data[2:]))
    if count is not None and len(words) != count:
        raise ValueError(f"{len(words)} words instead of {count}")
    return words


def array_at(words: tuple[int, ...], slot: int) -> tuple[int, ...]:
    """The array of static items whose offset stands in word `slot`.

    Raises:
        ValueError: the offset or the length leads out of the data.
    """
    if slot >= len(words) or words[slot] % _WORD or words[slot] // _WORD >= len(words):
        raise ValueError(f"word {slot} is no offset of an array")
    start = words[slot] // _WORD
    items = words[start + 1 : start + 1 + words[start]]
    if len(items) != words[start]:
        raise ValueError(f"an array of {words[start]} items ends after {len(items)}")
    return items


def signed(word: int) -> int:
    """A word read as two's complement."""
    return word - (1 << 256) if word >> _SIGN_BIT else word


def signed_word(value: int) -> bytes:
    """A signed number as a word in two's complement."""
    return value.to_bytes(_WORD, "big", signed=True)


def address_word(address: Address) -> bytes:
    """An address as a word."""
    return bytes.fromhex(address[2:]).rjust(_WORD, b"\0")


def address_of(word: int) -> Address:
    """A word read as an address.

    Raises:
        ValueError: it has more than 20 bytes.
    """
    if word >> _ADDRESS_BITS:
        raise ValueError(f"0x{word:064x} is no address")
    return Address(f"0x{word:040x}")


def id_of(word: int) -> PoolId:
    """A word read as the 32-byte id of a pool."""
    return PoolId(f"0x{word:0{_HEX_WORD}x}")
