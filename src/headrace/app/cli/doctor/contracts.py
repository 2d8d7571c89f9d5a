"""Contracts: code at every configured address, the Executor's own, allowances, dollar prices."""

from collections.abc import AsyncIterator, Iterator, Sequence

from headrace.app.cli.doctor.calls import address_call
from headrace.app.cli.doctor.executor_code import matches_build
from headrace.app.cli.doctor.finding import Finding, fail, ok, warn
from headrace.app.config.tree import Config
from headrace.model.address import ZERO_ADDRESS, Address, checksum
from headrace.model.block import BlockHeader
from headrace.ports.chain import Call, Chain
from headrace.ports.clock import Clock

_WORD = 32
_ROUND_WORDS = 5
_GAS_OF_A_PLAN = 500_000  # three swaps on a flash loan, with room to spare
_PLANS_WANTED = 20


async def contract_findings(chain: Chain, config: Config) -> AsyncIterator[Finding]:
    """Whether there is code wherever the configuration names a contract.

    Raises:
        ChainError: the node stopped answering.
    """
    missing = [(key, address) for key, address in _named(config) if not await chain.code(address)]
    for key, address in missing:
        yield fail("contract", f"{key} {checksum(address)}: no code on this chain", "correct the address")
    if not missing:
        yield ok("contract", f"code at all {len(list(_named(config)))} configured addresses")
    yield _executor(await chain.code(config.execution.flash_loan.contract_address))


def _named(config: Config) -> Iterator[tuple[str, Address]]:
    yield "execution.flash_loan.contract_address", config.execution.flash_loan.contract_address
    for name, venue in config.venues.items():
        for key, address in venue.contracts.items():
            yield f"protocols.{config.chain_name}.{name}.{key}", address
        for pool in venue.pools:
            if len(pool) == len(ZERO_ADDRESS):
                yield f"protocols.{config.chain_name}.{name}.pools", Address(pool)
    section = f"chains.{config.chain_name}"
    for symbol, address in config.chain.tokens.items():
        yield f"{section}.tokens.{symbol}", address
    for symbol, feed in config.chain.price_feeds.items():
        yield f"{section}.price_feeds.{symbol}", feed.address


def _executor(code: bytes) -> Finding:
    verdict = matches_build(code)
    if verdict is None:
        return warn("executor", "its code was not compared: the contracts are not built here", "run `make setup`")
    if not verdict:
        cure = "point contract_address at an Executor deployed from these sources, or deploy it again"
        return fail("executor", "its code is not the one built from these sources", cure)
    return ok("executor", "its code is the one built from these sources")


async def allowance_findings(chain: Chain, config: Config, head: BlockHeader) -> AsyncIterator[Finding]:
    """Whether the Executor or the wallet left allowances: none are needed, and a forgotten one is a way in.

    Raises:
        ChainError: the node stopped answering.
    """
    executor = config.execution.flash_loan.contract_address
    spenders = {address for venue in config.venues.values() for address in venue.contracts.values()}
    pairs = [(executor, spender) for spender in sorted(spenders)]
    if config.wallet is not None:
        pairs += [(config.wallet.address, executor), *((config.wallet.address, s) for s in sorted(spenders))]
    tokens = config.chain.tokens
    asked = [(symbol, owner, spender) for symbol in tokens for owner, spender in pairs]
    calls = [
        Call(tokens[symbol], address_call("allowance(address,address)", owner, spender))
        for symbol, owner, spender in asked
    ]
    answers = await chain.call_many(calls, head.hash)
    found = [one for one, answer in zip(asked, answers, strict=True) if answer and any(answer)]
    for symbol, owner, spender in found:
        seen = f"{checksum(owner)} lets {checksum(spender)} take its {symbol}"
        yield warn("allowances", seen, "revoke it: Headrace needs no standing allowance")
    if not found:
        yield ok("allowances", "none stands, none is needed")


async def price_findings(chain: Chain, config: Config, clock: Clock, head: BlockHeader) -> AsyncIterator[Finding]:
    """Whether every price feed gave a positive price recently enough.

    Raises:
        ChainError: the node stopped answering.
    """
    feeds = config.chain.price_feeds
    calls = [Call(feed.address, address_call("latestRoundData()")) for feed in feeds.values()]
    answers = await chain.call_many(calls, head.hash)
    now = max(clock.now(), head.timestamp)
    stale = []
    for (symbol, feed), answer in zip(feeds.items(), answers, strict=True):
        why = _why_no_price(answer, now, feed.max_age_seconds)
        if why:
            stale.append(symbol)
            cure = "check the feed's address and `max_age_seconds`, which its heartbeat should fit into"
            yield warn("prices", f"{symbol}: {why}", f"trades that need this price are refused: {cure}")
    if not feeds:
        yield fail("prices", "no price feed is configured", "add `price_feeds`: a limit in dollars needs a price")
    elif not stale:
        yield ok("prices", f"{len(feeds)} feeds are fresh")


def _why_no_price(answer: bytes | None, now: int, age_max: int) -> str:
    if answer is None or len(answer) != _ROUND_WORDS * _WORD:
        return "the contract is no price feed"
    if int.from_bytes(answer[_WORD : 2 * _WORD], "big", signed=True) <= 0:
        return "the feed's price is not positive"
    age = now - int.from_bytes(answer[3 * _WORD : 4 * _WORD], "big")
    return f"the price is {age} s old, {age_max} allowed" if age > age_max else ""


async def operator_findings(chain: Chain, config: Config, head: BlockHeader) -> Sequence[Finding]:
    """Whether the wallet may use the Executor and can pay for gas.

    Raises:
        ChainError: the node stopped answering.
    """
    if config.wallet is None:
        return (warn("wallet", "none is configured", "a dry run needs none; for a live run add a `wallet` section"),)
    address = config.wallet.address
    call = Call(config.execution.flash_loan.contract_address, address_call("isOperator(address)", address))
    (answer,) = await chain.call_many([call], head.hash)
    return (_operator(address, answer), _gas_money(await chain.balance_wei(address), head, config))


def _operator(address: Address, answer: bytes | None) -> Finding:
    if answer is not None and len(answer) == _WORD and any(answer):
        return ok("operator", f"{checksum(address)} may use the Executor")
    cure = "let the Executor's owner call setOperator(address,true) with it"
    return fail("operator", f"{checksum(address)} is no operator of the Executor", cure)


def _gas_money(balance_wei: int, head: BlockHeader, config: Config) -> Finding:
    price_wei = head.base_fee_wei + config.execution.transactions.priority_fee_wei
    needed_wei = _GAS_OF_A_PLAN * price_wei
    plans = balance_wei // needed_wei if needed_wei else balance_wei
    seen = f"enough native coin for about {plans} plans at the present gas price"
    if plans == 0:
        return fail("gas money", seen, "send native coin to the wallet's address")
    if plans < _PLANS_WANTED:
        return warn("gas money", seen, "send native coin to the wallet's address")
    return ok("gas money", seen)
