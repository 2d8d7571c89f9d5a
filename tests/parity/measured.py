"""One row of the parity report."""

import msgspec


class Measured(msgspec.Struct, frozen=True):
    """What one source says of one protocol.

    Attributes:
        source: "bytecode", "recorded", or "unproven" for a protocol without either.
        out_cases: exact inputs compared; `in_cases` exact outputs; `refusals` of both where the chain reverts.
        out_deviation_wei_max: largest difference of two amounts.
        mismatches: cases that differ, refusals included.
        below: exact outputs for which less than the contract asks for is enough, proven by its exact-input quotes.
        absent: why nothing was compared, such as recordings that are not here.
    """

    protocol: str
    source: str
    what: str
    out_cases: int = 0
    in_cases: int = 0
    refusals: int = 0
    out_deviation_wei_max: int = 0
    in_deviation_wei_max: int = 0
    mismatches: int = 0
    below: int = 0
    seconds: float = 0.0
    absent: str = ""
