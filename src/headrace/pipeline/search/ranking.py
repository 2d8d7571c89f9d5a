"""Which opportunities to check first: by their float profit in dollars. Ranking decides order only, never money."""

from collections.abc import Callable, Iterable, Mapping

from headrace.model.address import Address
from headrace.model.opportunity import Opportunity
from headrace.model.token import Token


def ranked(
    opportunities: Iterable[Opportunity],
    tokens: Mapping[Address, Token],
    usd_pico_of: Callable[[Address], int | None],
    cost_units_of: Callable[[Opportunity], int] = lambda _opportunity: 0,
) -> list[Opportunity]:
    """Most profitable first, less what each costs in units of its first token at the least.

    Those of a token without a price come last; ties go by id, so that the order is repeatable.
    """

    def key(opportunity: Opportunity) -> tuple[float, str]:
        token = opportunity.route.token_in
        left_units = opportunity.profit_estimate_units - cost_units_of(opportunity)
        return -left_units * ((usd_pico_of(token) or 0) / 10 ** tokens[token].decimals), opportunity.id

    return sorted(opportunities, key=key)
