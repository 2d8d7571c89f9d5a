"""How many blocks to ask for at once, learnt from a node's refusals.

A refused width is halved, or becomes what the node said it would take; a width that was answered grows by half while
nothing was ever refused, and then slowly, never to a width that was refused until many answers later: how many logs
lie in a block changes along the chain, while a bound on blocks is met again and again. So the width stays between half
of what the node takes and all of it, and few requests in a hundred are refused.
"""

import msgspec

BLOCKS_MAX = 1 << 20
_FIRST_BLOCKS = 2_000
_CALM_BEFORE_GROWING = 4  # answers in a row
_CALM_BEFORE_FORGETTING = 64


class Width(msgspec.Struct, frozen=True):
    """How many blocks to ask for next.

    Attributes:
        blocks: at least 1.
        below: a width that the node refused: not asked for again for a while.
        calm: answers since the last refusal.
    """

    blocks: int = _FIRST_BLOCKS
    below: int = BLOCKS_MAX + 1
    calm: int = 0

    def refused(self, asked: int, blocks_max: int | None) -> "Width":
        """After a refusal of `asked` blocks by a node that names `blocks_max`; at least 1, and less than asked for."""
        blocks = asked // 2 if blocks_max is None else min(blocks_max, asked - 1)
        return Width(max(blocks, 1), asked)

    def answered(self) -> "Width":
        """After an answer."""
        calm = self.calm + 1
        if calm >= _CALM_BEFORE_FORGETTING:
            return Width(self.blocks, below=BLOCKS_MAX + 1)
        is_free = self.below > BLOCKS_MAX
        if not is_free and calm % _CALM_BEFORE_GROWING:
            return Width(self.blocks, self.below, calm)
        grown = self.blocks + (self.blocks // 2 if is_free else self.blocks // 8) + 1
        return Width(min(grown, self.below - 1, BLOCKS_MAX), self.below, calm)
