"""Where trades happen: the sections `chains` and `protocols`."""

from collections.abc import Mapping

import msgspec

from headrace.app.config.kind import (
    Blocks,
    ChainKindRef,
    CodeHash,
    Contract,
    Count,
    Dollars,
    FeePips,
    Flag,
    FractionPpm,
    GweiAsWei,
    Milliseconds,
    NodeUrl,
    PoolRef,
    Positive,
    PrivateUrl,
    ProtocolRef,
    Seconds,
    Symbol,
    TokensInFile,
)
from headrace.model.address import Address
from headrace.model.chain_rules import ChainRules, chain_rules
from headrace.model.pending import Visibility, visibility_of
from headrace.model.pool import ProtocolId


class PriceFeed(msgspec.Struct, frozen=True, kw_only=True):
    """One token's dollar price on chain (Chainlink's AggregatorV3Interface).

    Attributes:
        address: the feed's contract.
        max_age_seconds: an older answer counts as none, and a limit in dollars then refuses the trade.
    """

    address: Contract
    max_age_seconds: Seconds


class GasThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What gas may cost on this chain, base fee and tip together; the levels rise strictly, and one of them acts.

    Attributes:
        ultra_low_wei: a level without effect yet: `headrace config check` says so.
        low_wei: a level without effect yet.
        medium_wei: a level without effect yet.
        high_wei: above it nothing is sent, until gas costs less.
        extreme_wei: a level without effect yet: `high_gwei` stops everything before it.
        max_cost_usd: most that one trade's gas may cost.
        max_profit_share_ppm: most that gas may take of the expected profit.
    """

    ultra_low_wei: GweiAsWei | None = msgspec.field(name="ultra_low_gwei", default=None)
    low_wei: GweiAsWei | None = msgspec.field(name="low_gwei", default=None)
    medium_wei: GweiAsWei | None = msgspec.field(name="medium_gwei", default=None)
    high_wei: GweiAsWei = msgspec.field(name="high_gwei")
    extreme_wei: GweiAsWei | None = msgspec.field(name="extreme_gwei", default=None)
    max_cost_usd: Dollars | None = None
    max_profit_share_ppm: FractionPpm | None = msgspec.field(name="max_profit_share", default=None)


class TokenCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Which tokens are taken for honest: every other one is bought, held and sold in a simulation before it is traded.

    Attributes:
        allowed: tokens that are traded unchecked.
        blocked: tokens that are never traded, whatever a check says.
        allowed_file: further tokens that are traded unchecked, one address a line; what follows a `#` is a comment.
        blocked_file: further tokens that are never traded, in the same form.
        valid_blocks: a verdict counts for so many blocks and is renewed before they have passed.
    """

    allowed: tuple[Contract, ...] = ()
    blocked: tuple[Contract, ...] = ()
    allowed_file: TokensInFile | None = None
    blocked_file: TokensInFile | None = None
    valid_blocks: Blocks = 7200

    @property
    def all_allowed(self) -> tuple[Address, ...]:
        """Those listed here and in the file."""
        return (*self.allowed, *(self.allowed_file.tokens if self.allowed_file else ()))

    @property
    def all_blocked(self) -> tuple[Address, ...]:
        """Those listed here and in the file."""
        return (*self.blocked, *(self.blocked_file.tokens if self.blocked_file else ()))


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the discovered pools are followed: those that lie on a cycle with a start token, and what is asked here.

    Attributes:
        tokens: only pools all of whose tokens are among these; of any tokens where left out.
        min_depth_usd: what a pool pays out at least until its price has moved by one percent, in dollars or a token.
        active_within_blocks: something happened in the pool in so many blocks before the run began. The node is asked
            for all logs of its protocols' events in them: a thousand blocks are a good many.
        max_pools: at most so many, the deepest first.
    """

    tokens: tuple[Contract, ...] = ()
    min_depth_usd: Dollars | None = None
    active_within_blocks: Blocks | None = None
    max_pools: Positive | None = None

    @property
    def wants_depth(self) -> bool:
        """Whether pools are told apart by their depth, which takes their states and a price to count it in."""
        return self.min_depth_usd is not None or self.max_pools is not None


class ChainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One EVM chain and the node that serves it.

    Attributes:
        chain_id: EIP-155 chain id; the node must serve this one.
        kind: whose rules of base fee, bloom filter and receipts the chain follows; by its id where left out, and
            Ethereum's, which are the strictest, where the id is unknown.
        rpc: the node's WebSocket endpoint.
        block_time_ms: usual time between blocks.
        public_mempool: whether pending transactions can be seen, and so attacked, by everybody.
        private_rpc: where transactions are sent instead, unseen.
        follow_pending: listen to what the node announces as pending, and note beside each trade and each opportunity
            how many swaps of others touch its pools; refused where the chain hides them. It decides nothing.
        reorg_depth_blocks: blocks kept to be rolled back; a deeper reorganisation makes the market be read anew.
        max_head_age_seconds: a block that is older by our clock is not traded on: the node is catching up, or our clock
            is wrong. Left out, nothing is refused for its age, which only a chain with a clock of its own wants.
        multicall: a Multicall3 contract, through which much is read at once (most chains have one at
            0xcA11bde05977b3631167028862bE2a173976CA11); without it, JSON-RPC batches are used.
        wrapped_native: symbol of the token that wraps the native coin.
        start_tokens: symbols of the tokens in which cycles begin and profit is taken.
        gas_thresholds: what gas may cost.
        tokens: addresses by symbol.
        price_feeds: dollar prices by token symbol.
        token_check: which tokens are taken for honest.
        follow: which of the discovered pools are followed; all of them where left out. Listed pools always are.
    """

    chain_id: Positive
    kind: ChainKindRef | None = None
    rpc: NodeUrl
    block_time_ms: Milliseconds = msgspec.field(name="block_time_seconds")
    public_mempool: Flag
    private_rpc: PrivateUrl | None = None
    follow_pending: Flag = False
    reorg_depth_blocks: Positive = 64
    max_head_age_seconds: Seconds | None = None
    multicall: Contract | None = None
    wrapped_native: Symbol
    start_tokens: tuple[Symbol, ...]
    gas_thresholds: GasThresholds
    tokens: Mapping[Symbol, Contract]
    price_feeds: Mapping[Symbol, PriceFeed]
    token_check: TokenCheck = msgspec.field(default_factory=TokenCheck)
    follow: Follow | None = None

    @property
    def rules(self) -> ChainRules:
        """In what the chain differs from Ethereum."""
        return chain_rules(self.chain_id, self.kind)

    @property
    def visibility(self) -> Visibility:
        """What can be seen of the chain's pending transactions."""
        return visibility_of(self.chain_id, is_public=self.public_mempool)

    @property
    def wrapped_native_address(self) -> Address:
        """Address of `wrapped_native`."""
        return self.tokens[self.wrapped_native]

    @property
    def start_token_addresses(self) -> tuple[Address, ...]:
        """Addresses of `start_tokens`."""
        return tuple(self.tokens[symbol] for symbol in self.start_tokens)


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """Pools that are found by their factory's events, by `headrace market discover`.

    Attributes:
        from_block: where the search begins: the block of the factory's deployment, for all pools.
    """

    from_block: Count


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of a protocol: an exchange of pools or a lender.

    Attributes:
        protocol: whose code it is; the venue's own name where left out.
        factory: contract that made the pools (Uniswap v2 and v3, Solidly), or lists them (Curve).
        router: public router, used by people and not by the agents.
        vault: contract that holds the pools' tokens (Balancer; Uniswap v4's PoolManager).
        positions: contract that knows the keys of pools (Uniswap v4's PositionManager).
        pool: contract that lends (Aave v3, Morpho Blue, any lender of ERC-3156).
        deployer: contract that creates the factory's pools, where that is not the factory (PancakeSwap v3).
        oracle: price oracle of a lender (Aave v3).
        fee_pips: swap fee of all pools (Uniswap v2 and its forks, 30 on the original; Solidly pairs that hide theirs).
        pools: the pools to trade: addresses, or 32-byte ids in a vault.
        discover: trade what was discovered, too (all protocols that trade).
        init_code_hash: hash of the creation code of the factory's pools, from which a discovered pool's address is
            checked; without it the factory is asked (Uniswap v2 and v3,
            Solidly).
    """

    protocol: ProtocolRef = ProtocolId("")
    factory: Contract | None = None
    router: Contract | None = None
    vault: Contract | None = None
    positions: Contract | None = None
    pool: Contract | None = None
    deployer: Contract | None = None
    oracle: Contract | None = None
    fee_pips: FeePips | None = msgspec.field(name="fee_bps", default=None)
    pools: tuple[PoolRef, ...] = ()
    discover: Discovery | None = None
    init_code_hash: CodeHash | None = None

    @property
    def contracts(self) -> Mapping[str, Address]:
        """Every contract named, by its key."""
        named = {
            "factory": self.factory,
            "router": self.router,
            "vault": self.vault,
            "positions": self.positions,
            "pool": self.pool,
            "deployer": self.deployer,
            "oracle": self.oracle,
        }
        return {key: address for key, address in named.items() if address is not None}
