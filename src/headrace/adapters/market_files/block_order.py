"""The order of a file's blocks: what cannot be, and what is only missing.

A block follows the one before it: the next number, that block's hash as its parent's, no earlier second. Three other
things are in order too. The same block may come in pieces. A block may lead off from an earlier one, where a branch was
left: the states go back to that one first. And numbers may be skipped, which a file of chosen blocks has a right to:
that is a gap, told and not refused. Anything else is disorder: two files may have been joined, or lines have moved.

Hashes of zeros are not known, and are compared with nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from headrace.adapters.market_files.lines import ZERO_HASH
from headrace.adapters.market_files.market_file import Misplaced, RecordedBlock
from headrace.model.block import BlockHeader


class Order(NamedTuple):
    """What is to be said of a file's blocks."""

    disorder: tuple[Misplaced, ...]
    gaps: tuple[Misplaced, ...]


def order_of(start: BlockHeader, blocks: Sequence[RecordedBlock]) -> Order:
    """Each block against the branch before it, which begins with the file's header."""
    branch, disorder, gaps = [start], [], []
    for block in blocks:
        at = block.header
        branch = branch_before(branch, at)
        why = _contradiction(branch, at)
        if why:
            disorder.append(Misplaced(block.line, at.number, why))
        elif at.number > branch[-1].number + 1:
            first, last = branch[-1].number + 1, at.number - 1
            missing = f"{first} is" if first == last else f"{first} to {last} are"
            gaps.append(Misplaced(block.line, at.number, f"{missing} not in the file"))
        if not is_piece(branch, at):
            branch.append(at)
    return Order(tuple(disorder), tuple(gaps))


def branch_before(branch: list[BlockHeader], at: BlockHeader) -> list[BlockHeader]:
    """The branch up to the block's parent where it leads off from an earlier one, else as it is."""
    if at.number > branch[-1].number or is_piece(branch, at) or at.parent_hash == ZERO_HASH:
        return branch
    length = next((k for k, one in enumerate(branch, 1) if one.hash == at.parent_hash), len(branch))
    return branch[:length]


def is_piece(branch: Sequence[BlockHeader], at: BlockHeader) -> bool:
    """Whether a block's line goes on with the block before it, which is not the header's."""
    last = branch[-1]
    is_same = at.hash == last.hash or ZERO_HASH in {at.hash, last.hash}
    return len(branch) > 1 and at.number == last.number and is_same


def _contradiction(branch: Sequence[BlockHeader], at: BlockHeader) -> str:
    last = branch[-1]
    if is_piece(branch, at):
        return "" if at.timestamp == last.timestamp else f"a piece of it before this says second {last.timestamp}"
    if at.number <= last.number:
        place = "the header is of block" if len(branch) == 1 else "it stands behind block"
        return f"{place} {last.number}"
    if at.timestamp < last.timestamp:
        return f"its second {at.timestamp} is before that of block {last.number}, {last.timestamp}"
    if at.hash != ZERO_HASH and at.hash == last.hash:
        return f"it has the hash of block {last.number}"
    is_linked = ZERO_HASH in {at.parent_hash, last.hash} or at.parent_hash == last.hash
    if at.number == last.number + 1 and not is_linked:
        return f"its parent_hash is not the hash of block {last.number}"
    return ""
