"""The check after the fact: whether a fill was the quote, to the unit, and whether it had a reason not to be.

The rehearsal refuses a plan whose simulated profit is not the quoted one. This looks at what the chain then did. The
quote is already less what the lender of the money takes, and a fill that is not clean has its reason: somebody else's
log lies between the quote and the transaction, or it is in a later block than the quote of a pool that moves without
logs was made for. What is left is a difference that nobody can explain: a contract that
computes otherwise than we do, or changed without a log. One unit is enough to doubt every quote of its pools.
"""

from headrace.model.execution import Execution


def unexplained(execution: Execution) -> str:
    """What is unexplained about a fill, as a sentence; empty for one as quoted, for an unclean one, and for none."""
    off = execution.deviation_units
    if not off or not execution.is_clean:
        return ""
    return (
        f"{execution.tx_hash} in block {execution.block_number} gained {execution.realised_profit_units} units of "
        f"{execution.profit_token}, {execution.quoted_profit_units} were quoted on block {execution.quoted_block}: "
        f"no log of a pool on the route explains the {abs(off)} {'more' if off > 0 else 'less'}"
    )
