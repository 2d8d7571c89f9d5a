"""What a mistyped word may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The clause `, did you mean "x"?` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, tuple(known), n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""
