"""Logs to state: the few that say all they change, and the many that only say that something changed.

A swap and every change of liquidity but one move D and, when the pool earned enough, the price scale; the amounts are
in the log, these are not (pools of the second generation log the price scale, but not D). Such a log leaves the state
as it was and marks it: it is read again at that block before it is quoted. A ramp of A and gamma, its end, and new
fees are told in full; while a ramp lasts the state is marked all the same, so that the curve is that of its block.

Harmless is what only announces a change, or concerns the owner, the shares, what becomes of the admin's fees, or how
donations are released: these move D and price scale with a swap or a change of liquidity, whose own log says so. Pools
since 2025 can be given another contract for their arithmetic (`SetPeriphery`): that is not among the events known here.
Sources: curve-crypto-contract, tricrypto-ng, twocrypto-ng.
"""

import msgspec

from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState, Ramp, checked_state
from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.words import topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError, MalformedPoolError
from headrace.kernels.cryptoswap import Generation
from headrace.model.address import Hash32
from headrace.model.event import Log

RAMP = topic("RampAgamma(uint256,uint256,uint256,uint256,uint256,uint256)")
RAMP_OF_2021 = topic("RampAgamma(uint256,uint256,uint256,uint256)")
STOP_RAMP = topic("StopRampA(uint256,uint256,uint256)")
PARAMETERS_6 = topic("NewParameters(" + ",".join(["uint256"] * 6) + ")")
PARAMETERS_7 = topic("NewParameters(" + ",".join(["uint256"] * 7) + ")")


def _moving() -> dict[Hash32, tuple[int, int]]:
    """First topic of each log that only says that something changed: number of topics, number of words."""
    found = {
        topic("TokenExchange(address,uint256,uint256,uint256,uint256)"): (2, 4),
        topic("TokenExchange(address,uint256,uint256,uint256,uint256,uint256,uint256)"): (2, 6),
        topic("RemoveLiquidityOne(address,uint256,uint256,uint256)"): (2, 3),
        topic("RemoveLiquidityOne(address,uint256,uint256,uint256,uint256,uint256)"): (2, 5),
        topic("ClaimAdminFee(address,uint256)"): (2, 1),
        topic("AddLiquidity(address,address,uint256[2],uint256,uint256,uint256)"): (3, 5),
        topic("RemoveLiquidityImbalance(address,uint256,uint256[2],uint256,uint256)"): (2, 5),
        topic("Donation(address,uint256[2])"): (2, 2),
        RAMP_OF_2021: (1, 4),
    }
    for count in (2, 3):
        amounts = f"uint256[{count}]"
        found |= {
            topic(f"AddLiquidity(address,{amounts},uint256,uint256)"): (2, count + 2),
            topic(f"AddLiquidity(address,{amounts},uint256,uint256,uint256)"): (2, count + 3),
            topic(f"RemoveLiquidity(address,{amounts},uint256)"): (2, count + 1),
            topic(f"ClaimAdminFee(address,{amounts})"): (2, count),
        }
    return found


MOVING = _moving()
TELLING = {RAMP: 6, STOP_RAMP: 3, PARAMETERS_6: 6, PARAMETERS_7: 7}
TOPICS = frozenset(MOVING) | frozenset(TELLING)
HARMLESS = SHARE_TOPICS | topics_of(
    "CommitNewAdmin(uint256,address)",
    "NewAdmin(address)",
    "CommitNewParameters(" + ",".join(["uint256"] * 7) + ")",
    "CommitNewParameters(" + ",".join(["uint256"] * 8) + ")",
    "SetAdminFee(uint256)",
    "SetDonationDuration(uint256)",
    "SetDonationProtection(uint256,uint256,uint256)",
)


def apply(state: CryptoSwapState, log: Log) -> CryptoSwapState:
    """The state after a log of this pool.

    Raises:
        MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
    """
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    name = log.topics[0] if log.topics else None
    try:
        if name in MOVING:
            return _moved(state, log, *MOVING[name])
        if name in TELLING and len(log.topics) == 1:
            after = _told(state, name, words_of_hex(log.data, TELLING[name]))
            return checked_state(_marked(after, log) if name == RAMP else after)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    except MalformedPoolError as error:
        raise MalformedLogError(state.pool.id, error.field, str(error)) from error
    raise MalformedLogError(state.pool.id, "topics", "the log is none that a pool emits")


def _moved(state: CryptoSwapState, log: Log, topics: int, count: int) -> CryptoSwapState:
    if len(log.topics) != topics:
        raise MalformedLogError(state.pool.id, "topics", f"{len(log.topics)} instead of {topics}")
    words_of_hex(log.data, count)
    return _marked(state, log)


def _marked(state: CryptoSwapState, log: Log) -> CryptoSwapState:
    stale_from = log.block_number if state.stale_from is None else min(state.stale_from, log.block_number)
    return msgspec.structs.replace(state, stale_from=stale_from)


def _told(state: CryptoSwapState, name: Hash32, words: tuple[int, ...]) -> CryptoSwapState:
    if name == RAMP:
        ann, future_ann, gamma, future_gamma, start, end = words
        if start >= end:
            raise MalformedLogError(state.pool.id, "future_time", "the ramp ends before it begins")
        ramp = Ramp(ann, gamma, start, future_ann, future_gamma, end)
        return msgspec.structs.replace(state, ramp=ramp, ramp_read_at=start)
    if name == STOP_RAMP:
        ann, gamma, time = words
        return msgspec.structs.replace(state, ramp=Ramp(ann, gamma, time, ann, gamma, time), ramp_read_at=0)
    is_ours = (name == PARAMETERS_6) == (state.terms.generation is Generation.TRIPLE_NG)
    if not is_ours:
        raise MalformedLogError(state.pool.id, "topics", "pools of this generation log their fees otherwise")
    first = 0 if state.terms.generation.is_next else 1  # before them the first generation logs the admin's fee
    mid_fee, out_fee, fee_gamma = words[first : first + 3]
    return msgspec.structs.replace(state, mid_fee=mid_fee, out_fee=out_fee, fee_gamma=fee_gamma)
