"""Validation: exact integers, money limits, and the least profit that the contract will accept.

The order of checks is the order of their cost, so the first is whether the estimate of search comes anywhere near the
gas: most opportunities do not, and are not worth an exact quote. Everything that lets a trade through is an exact
integer. An opportunity larger than the
limit for one trade is cut to the limit rather than refused: profit is concave in the input, so the smaller trade still
gains. The least profit is the gas at the highest price it can have within the plan's deadline plus the configured
minimum, in units of the profit token: a trade that lands has paid for itself, as far as the gas table covers its gas;
the rehearsal measures that.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from headrace.errors import UnquotableError
from headrace.model.account import (
    Account,
    Reservation,
    Scope,
    chain_scope,
    strategy_scope,
    token_scope,
    venue_scope,
)
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.base_fee import ETHEREUM_BASE_FEE, BaseFeeRule
from headrace.model.block import BlockContext, base_fee_wei_max
from headrace.model.engine import EngineRefused
from headrace.model.fees import FeePolicy
from headrace.model.money import NATIVE_DECIMALS, units_down, units_up, usd_micro_up
from headrace.model.opportunity import FundingOffer, Opportunity, Validated
from headrace.model.proof import Proof
from headrace.model.refusal import Reason, Refusal
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.quoting import Dexes, NativeQuote, quote_route
from headrace.ports.oracle import Oracle, Price
from headrace.ports.pool import PoolState

PLAN_GAS = 35_000  # 21,000 for the transaction, its calldata, the role check and the guard: contracts/README.md
HOP_GAS_MIN = 40_000  # no protocol's swap inside a plan takes less: contracts/.gas-snapshot
_ESTIMATE_MARGIN_PERCENT = 125  # dollar prices and pool prices are not that far apart, and no estimate is that wrong
_FLOOR_SLACK_UNITS = 4  # what the roundings of the estimate and of its worth can come to
_PERCENT = 100
_X96 = 96
_PPM = 1_000_000
_L1_FEE_FACTOR = 2  # it moves by an eighth in twelve seconds: six such steps, far past any deadline
_GAS_LIMIT_FACTOR = 2  # most that a gas limit is of the table's estimate; what needs more is refused when executed


class Thresholds(msgspec.Struct, frozen=True):
    """What a trade must earn and may cost; every figure comes from the configuration.

    Attributes:
        profit_usd_micro_min: least net profit of a trade, in millionths of a dollar.
        trade_usd_micro_max: largest input of a trade.
        gas_price_wei_max: above this expected price of gas nothing is sent.
        priority_fee_wei: what the builder is offered beside the base fee.
        deadline_blocks: for how many blocks after the snapshot's a plan may execute; at least 1.
        gas_usd_micro_max: most that one trade's gas may cost, if there is such a limit.
        gas_share_ppm_max: most that gas may take of the profit, in millionths, if there is such a limit.
        exposure_usd_micro_max_by: most that may be exposed to one token, venue, strategy or chain.
        base_fee: how the chain's base fee moves.
        trades_unproven_pools: whether pools are traded whose quotes were compared with nothing.
    """

    profit_usd_micro_min: int
    trade_usd_micro_max: int
    gas_price_wei_max: int
    priority_fee_wei: int
    deadline_blocks: int
    gas_usd_micro_max: int | None = None
    gas_share_ppm_max: int | None = None
    exposure_usd_micro_max_by: Mapping[Scope, int] = MappingProxyType({})
    base_fee: BaseFeeRule = ETHEREUM_BASE_FEE
    trades_unproven_pools: bool = False


class Economics(msgspec.Struct, frozen=True):
    """The prices that one validation stands on.

    `gas_price_wei` is the next block's; `fee_wei_max` is the cap that a transaction will offer; `gas_price_units_x96`
    is what one gas costs at the worst in units of the first token, times 2^96, rounded up. `l1_fee_units` is what the
    plan's data costs besides gas, rounded up.
    """

    gas_price_wei: int
    fee_wei_max: int
    gas_price_units_x96: int
    l1_fee_wei: int
    l1_fee_units: int
    token_usd_pico: int
    token_decimals: int
    native_usd_pico: int


class Quoted(msgspec.Struct, frozen=True):
    """An opportunity in exact integers, before anybody pays for it; `engines_refused` were asked before."""

    opportunity: Opportunity
    amounts: tuple[int, ...]
    at: BlockContext
    economics: Economics
    engines_refused: tuple[EngineRefused, ...] = ()


class Validator:
    """Checks one account's opportunities against one configuration."""

    def __init__(
        self,
        *,
        account: Account,
        thresholds: Thresholds,
        wrapped_native: Address,
        dexes: Dexes,
        oracle: Oracle,
        funding: FundingDesk,
    ) -> None:
        """Keep the parts."""
        self._account = account
        self._thresholds = thresholds
        self._wrapped_native = wrapped_native
        self._dexes = dexes
        self._oracle = oracle
        self._funding = funding
        self._native = NativeQuote(wrapped_native, dexes, believes_unproven=thresholds.trades_unproven_pools)

    def validate(
        self, opportunity: Opportunity, snapshot: Snapshot[PoolState], at: BlockContext
    ) -> Validated | Refusal:
        """Re-quote exactly on `snapshot` for execution in the block `at`; a refusal says what stopped it."""
        if opportunity.found_on != snapshot.header.ref:
            return Refusal(Reason.BLOCK_PASSED, f"found on block {opportunity.found_on.number}")
        token = opportunity.route.token_in
        price = self._oracle.price(token, at.timestamp)
        native_price = self._oracle.price(self._wrapped_native, at.timestamp)
        if price is None or native_price is None:
            return Refusal(Reason.NO_FRESH_PRICE, f"no fresh dollar price of {_symbol(snapshot, token)} or of gas")
        if self._is_hopeless(opportunity, snapshot, at, (price, native_price)):
            return Refusal(Reason.NOT_PROFITABLE_AFTER_GAS, f"{opportunity.profit_estimate_units} units by estimate")
        return (
            _unexecutable(opportunity.route)
            or self._unproven(opportunity.route, snapshot)
            or self._quoted(opportunity, snapshot, at, (price, native_price))
        )

    def _quoted(
        self, opportunity: Opportunity, snapshot: Snapshot[PoolState], at: BlockContext, prices: tuple[Price, Price]
    ) -> Validated | Refusal:
        token = opportunity.route.token_in
        scopes = self._scopes(opportunity, snapshot)
        amount_max = units_down(self._trade_usd_micro_max(scopes), snapshot.tokens[token].decimals, prices[0].usd_pico)
        amount = min(opportunity.amount_in_units, amount_max)
        try:
            amounts = quote_route(opportunity.route, amount, snapshot, self._dexes, at)
        except UnquotableError as error:
            return Refusal(Reason.POOL_UNQUOTABLE, str(error))
        economics = self._economics(amounts, token, snapshot, at, prices)
        if isinstance(economics, Refusal):
            return economics
        return self._fund(Quoted(opportunity, amounts, at, economics), snapshot)

    def on_next_engine(self, tried: Validated, refusal: Refusal, snapshot: Snapshot[PoolState]) -> Validated | Refusal:
        """The same trade, paid for by the cheapest source that was not `refusal`'s, nor tried before it.

        Amounts and prices are those of the block that the trade was found on; whether it is worth the next engine's fee
        and gas is asked as at the first time.
        """
        opportunity, at = tried.opportunity, tried.context
        token = opportunity.route.token_in
        price = self._oracle.price(token, at.timestamp)
        native_price = self._oracle.price(self._wrapped_native, at.timestamp)
        if price is None or native_price is None:
            return Refusal(Reason.NO_FRESH_PRICE, f"no fresh dollar price of {_symbol(snapshot, token)} or of gas")
        economics = self._economics(tried.amounts_units, token, snapshot, at, (price, native_price))
        if isinstance(economics, Refusal):
            return economics
        refused = (*tried.engines_refused, EngineRefused(*tried.funding.source, refusal))
        return self._fund(Quoted(opportunity, tried.amounts_units, at, economics, refused), snapshot)

    def _unproven(self, route: Route, snapshot: Snapshot[PoolState]) -> Refusal | None:
        if self._thresholds.trades_unproven_pools:
            return None
        for pool in map(snapshot.pool, route.pools):
            if self._dexes[pool.protocol].proof_of(snapshot.state(pool.id)) is Proof.UNPROVEN:
                why = f"no bytecode and no recorded answer proves our quotes of this kind of {pool.protocol} pool"
                detail = f"pool {pool.id} ({pool.venue}): {why}; risk.trade_unproven_pools: true allows it"
                return Refusal(Reason.POOL_UNPROVEN, detail)
        return None

    def floor_units(self, token: Address, hops: int, snapshot: Snapshot[PoolState], at: BlockContext) -> int:
        """Estimated profit below which a cycle of `hops` hops in `token` is refused unseen; 0 without fresh prices.

        Rounded down by some units, so that what it stops `validate` would stop as well.
        """
        price = self._oracle.price(token, at.timestamp)
        native_price = self._oracle.price(self._wrapped_native, at.timestamp)
        if price is None or native_price is None:
            return 0
        gas_usd = usd_micro_up(self._gas_wei_min(hops, at), NATIVE_DECIMALS, native_price.usd_pico) - 1
        worth = units_down(gas_usd, snapshot.tokens[token].decimals, price.usd_pico)
        return max(worth * _PERCENT // _ESTIMATE_MARGIN_PERCENT - _FLOOR_SLACK_UNITS, 0)

    def conversion_pools(self, token: Address, snapshot: Snapshot[PoolState]) -> tuple[int, ...]:
        """Indices of the pools by which a profit in `token` is counted in the native coin; none for that coin."""
        return self._native.pools_for(token, snapshot)

    def _gas_wei_min(self, hops: int, at: BlockContext) -> int:
        gas_price_wei = at.base_fee_wei + self._thresholds.priority_fee_wei
        return (PLAN_GAS + HOP_GAS_MIN * hops) * gas_price_wei + at.l1_fee_wei

    def _is_hopeless(
        self, opportunity: Opportunity, snapshot: Snapshot[PoolState], at: BlockContext, prices: tuple[Price, Price]
    ) -> bool:
        """Whether the estimated profit and a quarter more would not pay the least gas that such a route can take."""
        decimals = snapshot.tokens[opportunity.route.token_in].decimals
        gas_wei = self._gas_wei_min(len(opportunity.route.hops), at)
        profit_units = (opportunity.profit_estimate_units + 1) * _ESTIMATE_MARGIN_PERCENT // _PERCENT + 1
        return usd_micro_up(profit_units, decimals, prices[0].usd_pico) < usd_micro_up(
            gas_wei, NATIVE_DECIMALS, prices[1].usd_pico
        )

    def _economics(
        self,
        amounts: Sequence[int],
        token: Address,
        snapshot: Snapshot[PoolState],
        at: BlockContext,
        prices: tuple[Price, Price],
    ) -> Economics | Refusal:
        gross = amounts[-1] - amounts[0]
        if gross <= 0:
            return Refusal(Reason.NOT_PROFITABLE_EXACT, f"{gross} units before gas")
        gas_price, limit = at.base_fee_wei + self._thresholds.priority_fee_wei, self._thresholds.gas_price_wei_max
        if gas_price > limit:
            return Refusal(Reason.GAS_PRICE_TOO_HIGH, f"gas at {gas_price} wei, limit {limit}")
        gross_native = self._native.native_wei(token, gross, snapshot, at)
        if not gross_native:
            return Refusal(Reason.NO_NATIVE_QUOTE, f"no pool turns {_symbol(snapshot, token)} into gas")
        return Economics(
            gas_price_wei=gas_price,
            fee_wei_max=FeePolicy(self._thresholds.priority_fee_wei, limit).fees_wei(at.base_fee_wei)[0],
            gas_price_units_x96=-(-(self._gas_price_wei_worst(at) * gross << _X96) // gross_native),
            l1_fee_wei=at.l1_fee_wei,
            l1_fee_units=-(-at.l1_fee_wei * gross // gross_native),
            token_usd_pico=prices[0].usd_pico,
            token_decimals=snapshot.tokens[token].decimals,
            native_usd_pico=prices[1].usd_pico,
        )

    def _gas_price_wei_worst(self, at: BlockContext) -> int:
        """What a gas may cost in the last block in which the plan may execute, if all before it are full."""
        return (
            base_fee_wei_max(at.base_fee_wei, self._thresholds.deadline_blocks - 1, self._thresholds.base_fee)
            + self._thresholds.priority_fee_wei
        )

    def _fund(self, quoted: Quoted, snapshot: Snapshot[PoolState]) -> Validated | Refusal:
        opportunity, amounts, economics = quoted.opportunity, quoted.amounts, quoted.economics
        route = opportunity.route
        offer = self._funding.cheapest(
            route,
            amounts[0],
            snapshot,
            gas_price_units_x96=economics.gas_price_units_x96,
            without=[(one.engine, one.lender) for one in quoted.engines_refused],
        )
        if offer is None:
            symbol = _symbol(snapshot, route.token_in)
            closed = self._funding.why_closed(route.token_in)
            detail = f"nobody lends {amounts[0]} units of {symbol} for this route{f': {closed}' if closed else ''}"
            return Refusal(Reason.NO_FUNDING, detail)
        gas = PLAN_GAS + offer.gas + self._route_gas(route, amounts, snapshot)
        gas_units = -(-gas * economics.gas_price_units_x96 >> _X96) + 1 + economics.l1_fee_units
        profit = amounts[-1] - amounts[0] - offer.fee_units
        if profit <= gas_units:
            return Refusal(Reason.NOT_PROFITABLE_AFTER_GAS, f"it gains {profit} units, gas costs {gas_units}")
        if self._is_gas_too_dear(gas, gas_units, profit, economics):
            return Refusal(Reason.GAS_COST_TOO_HIGH, f"gas worth {gas_units} of {profit} units")
        profit_min = gas_units + units_up(
            self._thresholds.profit_usd_micro_min, economics.token_decimals, economics.token_usd_pico
        )
        if profit < profit_min:
            return Refusal(Reason.BELOW_MIN_PROFIT, f"{profit} units, {profit_min} wanted")
        return Validated(
            opportunity=opportunity,
            account=self._account,
            amounts_units=tuple(amounts),
            profit_units=profit,
            profit_min_units=profit_min,
            funding=offer,
            gas_estimate=gas,
            profit_native_wei=self._native.native_wei(route.token_in, profit, snapshot, quoted.at) or 0,
            net_native_wei_min=units_up(
                self._thresholds.profit_usd_micro_min, NATIVE_DECIMALS, economics.native_usd_pico
            ),
            context=quoted.at,
            expires_block=snapshot.header.number + self._thresholds.deadline_blocks,
            reservation=msgspec.structs.replace(
                self._reservation(route, amounts[0], offer, gas, economics),
                scopes=self._scopes(opportunity, snapshot),
            ),
            is_for_one_block=self._is_for_one_block(route, snapshot, quoted.at),
            engines_refused=quoted.engines_refused,
        )

    def _is_for_one_block(self, route: Route, snapshot: Snapshot[PoolState], at: BlockContext) -> bool:
        pools = map(snapshot.pool, route.pools)
        return any(self._dexes[pool.protocol].is_outdated(snapshot.state(pool.id), at.number) for pool in pools)

    def _trade_usd_micro_max(self, scopes: Iterable[Scope]) -> int:
        """The largest trade that its own limit and every cap on what it is exposed to allow by themselves."""
        caps = self._thresholds.exposure_usd_micro_max_by
        return min([self._thresholds.trade_usd_micro_max, *(caps[scope] for scope in scopes if scope in caps)])

    def _scopes(self, opportunity: Opportunity, snapshot: Snapshot[PoolState]) -> tuple[Scope, ...]:
        route = opportunity.route
        venues = dict.fromkeys(snapshot.pool(pool).venue for pool in route.pools)
        return (
            chain_scope(self._account.chain_id),
            strategy_scope(opportunity.strategy),
            *(venue_scope(venue) for venue in venues),
            *(token_scope(token) for token in route.tokens),
        )

    def _reservation(
        self, route: Route, amount: int, offer: FundingOffer, gas: int, economics: Economics
    ) -> Reservation:
        is_own = offer.funding.engine == "own_capital"
        l1_fee_wei_max = _L1_FEE_FACTOR * economics.l1_fee_wei
        gas_wei_max = _GAS_LIMIT_FACTOR * gas * economics.fee_wei_max + l1_fee_wei_max
        return Reservation(
            account=self._account.id,
            token=route.token_in,
            capital_units=amount if is_own else 0,
            exposure_usd_micro=usd_micro_up(amount, economics.token_decimals, economics.token_usd_pico),
            loss_usd_micro=usd_micro_up(gas_wei_max, NATIVE_DECIMALS, economics.native_usd_pico),
            native_usd_pico=economics.native_usd_pico,
            pools=route.pools,
            l1_fee_wei=l1_fee_wei_max,
        )

    def _is_gas_too_dear(self, gas: int, gas_units: int, profit: int, economics: Economics) -> bool:
        usd_max, share_max = self._thresholds.gas_usd_micro_max, self._thresholds.gas_share_ppm_max
        gas_wei = gas * economics.gas_price_wei + economics.l1_fee_wei
        gas_usd = usd_micro_up(gas_wei, NATIVE_DECIMALS, economics.native_usd_pico)
        is_above_cost = usd_max is not None and gas_usd > usd_max
        return is_above_cost or (share_max is not None and gas_units * _PPM > profit * share_max)

    def _route_gas(self, route: Route, amounts: Sequence[int], snapshot: Snapshot[PoolState]) -> int:
        return sum(
            self._dexes[snapshot.pool(hop.pool).protocol].gas(
                snapshot.state(hop.pool), hop.token_in, hop.token_out, amount
            )
            for hop, amount in zip(route.hops, amounts, strict=False)
        )


def _unexecutable(route: Route) -> Refusal | None:
    if ZERO_ADDRESS not in route.tokens:
        return None
    return Refusal(Reason.POOL_UNEXECUTABLE, "a pool trades the native currency, which the Executor does not pay yet")


def _symbol(snapshot: Snapshot[PoolState], token: Address) -> str:
    return snapshot.tokens[token].symbol
