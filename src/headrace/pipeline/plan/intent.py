"""What is wanted, in the words of the journal: written together with its reservation, before anything is signed."""

from headrace.model.intent import Intent
from headrace.model.opportunity import Validated
from headrace.model.order import Order, Step
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState


def intent_of(validated: Validated, snapshot: Snapshot[PoolState]) -> Intent:
    """The intent of a validated opportunity; its id is the opportunity's, so that one is never executed twice.

    On the next engine the same intent is opened again, when the one before it has ended unsigned.
    """
    opportunity, amount = validated.opportunity, validated.amounts_units[0]
    order = Order(
        id=opportunity.id,
        account=validated.account.id,
        token_in=opportunity.route.token_in,
        token_out=opportunity.route.token_out,
        amount_in_units=amount,
        amount_out_min_units=amount + validated.profit_min_units,
        deadline_block=validated.expires_block,
        remaining_units=amount,
    )
    return Intent(
        id=opportunity.id,
        step=Step(order, sequence=0, amount_in_units=amount),
        opportunity_id=opportunity.id,
        strategy=opportunity.strategy,
        engine=validated.funding.funding.engine,
        route_text=route_text(opportunity.route, snapshot),
        pools=opportunity.route.pools,
        quoted_profit_units=validated.profit_units,
        quoted_profit_native_wei=validated.profit_native_wei,
        quoted_block=snapshot.header.number,
        quoted_block_hash=snapshot.header.hash,
        announced_ns=opportunity.announced_ns,
        reservation=validated.reservation,
        is_for_one_block=validated.is_for_one_block,
        engines_refused=validated.engines_refused,
    )


def route_text(route: Route, snapshot: Snapshot[PoolState]) -> str:
    """For people: `WETH >uniswap_v3> USDC >sushiswap> WETH`."""
    parts = [snapshot.tokens[route.token_in].symbol]
    for hop in route.hops:
        parts += [snapshot.pool(hop.pool).venue, snapshot.tokens[hop.token_out].symbol]
    return " > ".join(parts)
