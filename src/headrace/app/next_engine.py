"""A trade whose engine fails it is put on the next one, for the same block.

Money is read a block behind the market, off the hot path: a lender may have run dry or been paused in the very block
that a trade was found on, own capital may have been taken out, and two plans of one block may want the same capital.
None of that says anything of the trade. The bounds are small, because what is behind in the same batch waits: at most
`REHEARSALS_MAX` rehearsals of one opportunity, and each source of money once.
"""

from collections.abc import Sequence

from headrace.model.address import ZERO_ADDRESS
from headrace.model.opportunity import Opportunity, Validated
from headrace.model.refusal import Reason, Refusal
from headrace.model.snapshot import Snapshot
from headrace.pipeline.validate.validator import Validator
from headrace.ports.pool import PoolState

REHEARSALS_MAX = 2
_REHEARSED = frozenset({Reason.REHEARSAL_REVERTED, Reason.REHEARSAL_OFF_QUOTE})


def on_next_engines(
    validator: Validator,
    stopped: Sequence[tuple[Validated, Refusal]],
    snapshot: Snapshot[PoolState],
    refused: list[tuple[Opportunity, Refusal]],
) -> list[Validated]:
    """The trades that another engine may do; the others are refused for what stopped them first."""
    again = []
    for one, refusal in stopped:
        following = validator.on_next_engine(one, refusal, snapshot) if _may_be_the_engine(one, refusal) else refusal
        if isinstance(following, Validated):
            again.append(following)
        else:
            refused.append((one.opportunity, refusal))
    return again


def _may_be_the_engine(tried: Validated, refusal: Refusal) -> bool:
    """Whether what stopped the trade may be who pays for it.

    Who lends for nothing changes nothing of what the route pays, so an amount that is off the quote is then the
    route's.
    """
    if refusal.reason is Reason.CAPITAL_RESERVED:
        return True
    before = sum(one.refusal.reason in _REHEARSED for one in tried.engines_refused)
    is_lent = tried.funding.lender != ZERO_ADDRESS
    may_differ = refusal.reason is Reason.REHEARSAL_REVERTED or is_lent
    return refusal.reason in _REHEARSED and may_differ and before + 1 < REHEARSALS_MAX
