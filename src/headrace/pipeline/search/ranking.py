"""Which opportunities to check first: by their float profit in dollars. Ranking decides order only, never money."""

from collections.abc import Callable, Iterable, Mapping

from headrace.model.address import Address
from headrace.model.opportunity import Opportunity
from headrace.model.token import Token


def ranked(
    opportunities: Iterable[Opportunity], tokens: Mapping[Address, Token], usd_pico_of: Callable[[Address], int | None]
) -> list[Opportunity]:
    """Most profitable first; those of a token without a price last; ties by id, so that the order is repeatable."""

    def key(opportunity: Opportunity) -> tuple[float, str]:
        token = opportunity.route.token_in
        usd_pico = usd_pico_of(token) or 0
        return -opportunity.profit_estimate_units * (usd_pico / 10 ** tokens[token].decimals), opportunity.id

    return sorted(opportunities, key=key)
