"""How many blocks to ask for at once, learnt from a node's refusals.

A width that was answered grows by half until one is refused. Then it falls back to the last one that was answered, or
to half, or to what the node said it would take, and comes near to the refused one in smaller and smaller steps. After
many answers in a row it tries to grow again: how many logs lie in a block changes along the chain. So a bound on blocks
costs a few requests in a hundred, and a crowded stretch does not slow what comes after it.
"""

import msgspec

BLOCKS_MAX = 1 << 20
_FIRST_BLOCKS = 2_000
_CALM_BEFORE_GROWING = 4  # answers in a row
_NEAR = 8  # a refused width is near when it is less than an eighth away
_CALM_BEFORE_FORGETTING = 64


class Width(msgspec.Struct, frozen=True):
    """How many blocks to ask for next.

    Attributes:
        blocks: at least 1.
        below: a width that the node refused: not asked for again for a while.
        answered_blocks: the width that was answered last; 0 for none since the last refusal.
        calm: answers since the last refusal.
    """

    blocks: int = _FIRST_BLOCKS
    below: int = BLOCKS_MAX + 1
    answered_blocks: int = 0
    calm: int = 0

    def refused(self, asked: int, blocks_max: int | None) -> "Width":
        """After a refusal of `asked` blocks by a node that names `blocks_max`; less than asked for, but at least 1."""
        if blocks_max is not None:
            blocks = min(blocks_max, asked - 1)
        else:
            blocks = self.answered_blocks if self.answered_blocks < asked else asked // 2
        return Width(max(blocks or asked // 2, 1), max(asked, 2))

    def answered(self) -> "Width":
        """After an answer."""
        calm = self.calm + 1
        if self.below > BLOCKS_MAX or calm >= _CALM_BEFORE_FORGETTING:
            grown = min(self.blocks + self.blocks // 2 + 1, BLOCKS_MAX)
            return Width(grown, BLOCKS_MAX + 1, self.blocks)
        gap = self.below - self.blocks
        is_due = calm % _CALM_BEFORE_GROWING == 0 and gap > self.blocks // _NEAR
        return Width(self.blocks + (gap // 2 if is_due else 0), self.below, self.blocks, calm)
