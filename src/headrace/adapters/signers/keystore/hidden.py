"""Bytes that nobody prints: keys and passphrases on their way through our functions."""


class Hidden:
    """A secret whose text forms show nothing; tracebacks with locals show `Hidden(...)`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes; pass them on at once and never bind them to a name."""
        return self._value

    def __repr__(self) -> str:
        return "Hidden(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")
