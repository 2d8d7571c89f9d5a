"""Sends one transaction that is no trade, so that it is sent once however often the command is begun anew.

What is signed is durable before it leaves. A later run finds it by what it is for: if its nonce is still free, the same
bytes are sent again; only when they offer less than gas costs now is another transaction signed, on the same nonce and
for the same thing, so that at most one of them can ever be included. If the nonce was used, the receipt says by which;
if by none of ours, it is signed anew on the next one.

The journal's lock is held meanwhile, and nothing is sent while an execution of the same wallet is under way: an agent
must find every nonce of its wallet used by itself, or else it halts.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from math import ceil

import msgspec

from headrace.adapters.chains.evm.answer import read_text_quantity
from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.hexadecimal import write_bytes
from headrace.adapters.stores.deployments import DeploymentFile, SignedOrder
from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.adapters.stores.sqlite.lock import WriterLock
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Report
from headrace.errors import DeploymentError, NotIncludedError, RpcError
from headrace.model.address import Address, ChainId, Hash32, checksum, keccak_hex
from headrace.model.base_fee import BaseFeeRule
from headrace.model.block import next_base_fee_wei
from headrace.model.codec import JsonValue
from headrace.model.executor_revert import describe_revert
from headrace.model.fees import FeePolicy
from headrace.model.record import PayloadSigned, SlotFinal
from headrace.model.token import decimal_text
from headrace.model.transaction import Receipt, SignedTransaction, UnsignedTransaction
from headrace.pipeline.execute.signed_bytes import difference
from headrace.ports.signer import Signer

_PPM = 1_000_000
_GWEI_DECIMALS, _NATIVE_DECIMALS = 9, 18
_REPLACEMENT_RAISE = Fraction(9, 8)  # nodes want a tenth more of both fees
_POLLS_PER_BLOCK = 4
_POLL_SECONDS_MIN, _POLL_SECONDS_MAX = 0.05, 2.0
_NS_PER_SECOND = 10**9


class Order(msgspec.Struct, frozen=True):
    """What is to be sent once; `contract` is the Executor that it makes or sets up, `what` says so to people."""

    contract: Address
    to: Address
    data: bytes
    what: str

    @property
    def key(self) -> Hash32:
        """The same for the same thing."""
        return keccak_hex(bytes.fromhex(self.to[2:]) + self.data)


class Terms(msgspec.Struct, frozen=True):
    """Of one chain: what is offered for gas, and how long an inclusion is waited for."""

    fees: FeePolicy
    base_fee: BaseFeeRule
    gas_multiplier: Fraction
    poll_seconds: float
    seconds_max: int

    @classmethod
    def of(cls, config: Config, chain_name: str) -> "Terms":
        """As configured; the cap is the lower of the engine's and the chain's."""
        section, transactions = config.chains[chain_name], config.execution.transactions
        cap_wei = min(config.execution.flash_loan.max_gas_price_wei, section.gas_thresholds.high_wei)
        poll_seconds = section.block_time_ms / 1000 / _POLLS_PER_BLOCK
        return cls(
            fees=FeePolicy(transactions.priority_fee_wei, cap_wei),
            base_fee=section.rules.base_fee,
            gas_multiplier=Fraction(transactions.gas_limit_multiplier_ppm, _PPM),
            poll_seconds=min(max(poll_seconds, _POLL_SECONDS_MIN), _POLL_SECONDS_MAX),
            seconds_max=config.risk.max_execution_time_seconds,
        )


class Offer(msgspec.Struct, frozen=True):
    """Gas limit and fees of one transaction."""

    gas_limit: int
    max_fee_wei: int
    priority_fee_wei: int

    @property
    def cost_wei_max(self) -> int:
        """Most that it can cost, without what a first layer asks besides."""
        return self.gas_limit * self.max_fee_wei


@contextmanager
def sole_sender(config: Config) -> Iterator[None]:
    """Hold the journal's lock, so that no agent signs with the same wallet meanwhile.

    Raises:
        JournalLockedError: an agent runs.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = WriterLock(config.journal_path)
    try:
        yield
    finally:
        lock.release()


async def offer(chain: EvmChain, terms: Terms, sender: Address, order: Order) -> Offer:
    """What a transaction is worth at the head.

    Raises:
        DeploymentError: it would revert, gas costs more than configured, or the sender cannot pay.
        ChainError: the node failed.
    """
    gas_limit = int(await _estimate(chain, sender, order) * terms.gas_multiplier)
    base_fee_wei = next_base_fee_wei(await chain.head(), terms.base_fee)
    max_fee_wei, priority_fee_wei = terms.fees.fees_wei(base_fee_wei)
    if max_fee_wei < base_fee_wei:
        now, cap = (decimal_text(wei, _GWEI_DECIMALS) for wei in (base_fee_wei, max_fee_wei))
        raise DeploymentError(f"gas costs {now} gwei, configured are {cap} at most: wait, or raise the limits")
    made = Offer(gas_limit, max_fee_wei, priority_fee_wei)
    balance_wei = await chain.balance_wei(sender)
    if balance_wei < made.cost_wei_max:
        needed, there = (decimal_text(wei, _NATIVE_DECIMALS) for wei in (made.cost_wei_max, balance_wei))
        raise DeploymentError(
            f"{checksum(sender)} has {there} native coin, {order.what} may cost {needed}: send it some"
        )
    return made


class Sender:
    """Sends orders of one wallet on one chain, one after the other."""

    def __init__(self, chain: EvmChain, signer: Signer, terms: Terms, file: DeploymentFile, report: Report) -> None:
        """Sign with `signer`, keep what is signed in `file`."""
        self._chain = chain
        self._signer = signer
        self._terms = terms
        self._file = file
        self._report = report
        self._clock = SystemClock()

    async def send_once(self, order: Order) -> Receipt:
        """The receipt of the one transaction that does it, sent by this run or by an earlier one.

        Raises:
            NotIncludedError: it is in no block yet.
            DeploymentError: it reverted, or would; or an execution of the wallet is under way.
            ChainError: the node failed; what was signed is kept.
            StoreError: what was signed could not be kept; it was not sent.
        """
        open_orders = [one for one in self._file.read() if self._is_open(one, order)]
        receipt = await self._receipt_of(open_orders)
        if receipt is None:
            nonce = await self._chain.nonce(self._signer.address)
            usable = [one for one in open_orders if one.nonce >= nonce]
            usable = await self._signed(order, usable, usable[-1].nonce if usable else nonce)
            self._report(f"sending {order.what} as {usable[-1].tx_hash}")
            await self._chain.send(SignedTransaction(usable[-1].raw, usable[-1].tx_hash))
            receipt = await self._awaited(usable, order)
        self._file.settle(receipt.tx_hash, receipt.block_number, is_success=receipt.is_success)
        if not receipt.is_success:
            raise DeploymentError(f"{order.what} reverted in block {receipt.block_number} ({receipt.tx_hash})")
        return receipt

    def _is_open(self, one: SignedOrder, order: Order) -> bool:
        return (one.order, one.sender, one.block) == (order.key, self._signer.address, None)

    async def _receipt_of(self, signed: Sequence[SignedOrder]) -> Receipt | None:
        for one in signed:
            receipt = await self._chain.receipt(one.tx_hash)
            if receipt is not None:
                return receipt
        return None

    async def _signed(self, order: Order, usable: list[SignedOrder], nonce: int) -> list[SignedOrder]:
        """What may use the nonce, the last of which is to be sent; a new one is durable when this returns."""
        base_fee_wei = next_base_fee_wei(await self._chain.head(), self._terms.base_fee)
        if usable and usable[-1].max_fee_wei >= base_fee_wei:
            return usable
        made = await offer(self._chain, self._terms, self._signer.address, order)
        if usable:
            made = _raised(made, usable[-1], self._terms.fees.gas_price_wei_max)
        transaction = UnsignedTransaction(
            chain_id=self._chain.chain_id,
            sender=self._signer.address,
            to=order.to,
            value_wei=0,
            data=order.data,
            gas_limit=made.gas_limit,
            max_fee_wei=made.max_fee_wei,
            priority_fee_wei=made.priority_fee_wei,
        )
        signed = self._signer.sign(transaction, nonce)
        wrong = difference(signed, transaction, nonce)
        if wrong:
            raise DeploymentError(f"{wrong}: nothing was sent")
        kept = SignedOrder(
            order=order.key,
            contract=order.contract,
            to=order.to,
            sender=self._signer.address,
            nonce=nonce,
            tx_hash=signed.hash,
            raw=signed.raw,
            max_fee_wei=made.max_fee_wei,
            priority_fee_wei=made.priority_fee_wei,
        )
        self._file.append(kept)
        return [*usable, kept]

    async def _awaited(self, signed: Sequence[SignedOrder], order: Order) -> Receipt:
        end_ns = self._clock.monotonic_ns() + self._terms.seconds_max * _NS_PER_SECOND
        while (receipt := await self._receipt_of(signed)) is None:
            if self._clock.monotonic_ns() >= end_ns:
                told = f"{order.what}, sent as {signed[-1].tx_hash}, is in no block after {self._terms.seconds_max} s"
                raise NotIncludedError(f"{told}: run the same command again, it goes on waiting")
            await asyncio.sleep(self._terms.poll_seconds)
        return receipt


async def require_nothing_under_way(chain: EvmChain, config: Config, wallet: Address) -> None:
    """Make sure that no execution of the wallet waits for its nonce on this chain.

    Raises:
        DeploymentError: one does.
        JournalError: the journal cannot be read.
        ChainError: the node failed.
    """
    if not config.journal_path.exists():
        return
    nonces = _signed_nonces(config, chain.chain_id, wallet)
    chain_nonce = await chain.nonce(wallet)
    waiting = sorted(nonce for nonce in nonces if nonce >= chain_nonce)
    if waiting:
        told = f"an execution of {checksum(wallet)} is under way on nonce {waiting[0]}"
        raise DeploymentError(f"{told}: bring it to its end with `headrace run --live` first, or use another wallet")


def _signed_nonces(config: Config, chain_id: ChainId, wallet: Address) -> set[int]:
    nonces: set[int] = set()
    for record in read_journal(config.journal_path):
        if isinstance(record, PayloadSigned | SlotFinal) and (record.slot.chain_id, record.slot.sender) == (
            chain_id,
            wallet,
        ):
            (nonces.add if isinstance(record, PayloadSigned) else nonces.discard)(record.slot.nonce)
    return nonces


def _raised(made: Offer, before: SignedOrder, cap_wei: int) -> Offer:
    """Enough for nodes to take it in place of the one before.

    Raises:
        DeploymentError: that would be more than configured.
    """
    max_fee_wei = max(made.max_fee_wei, ceil(before.max_fee_wei * _REPLACEMENT_RAISE))
    tip_wei = max(made.priority_fee_wei, ceil(before.priority_fee_wei * _REPLACEMENT_RAISE))
    if max_fee_wei > cap_wei:
        needed, cap = (decimal_text(wei, _GWEI_DECIMALS) for wei in (max_fee_wei, cap_wei))
        raise DeploymentError(
            f"to replace {before.tx_hash} takes {needed} gwei, configured are {cap}: wait, or raise it"
        )
    return Offer(made.gas_limit, max_fee_wei, min(tip_wei, max_fee_wei))


async def _estimate(chain: EvmChain, sender: Address, order: Order) -> int:
    call: dict[str, JsonValue] = {"from": sender, "to": order.to, "data": write_bytes(order.data)}
    try:
        return await chain.client.request("eth_estimateGas", (call,), read_text_quantity)
    except RpcError as error:
        why = describe_revert(error.data) or error.message
        raise DeploymentError(f"{order.what} would fail: {why}; nothing was sent") from error
