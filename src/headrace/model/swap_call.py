"""Swaps that somebody's calldata asks for, read without asking a chain: what is wanted, not what will come of it."""

import msgspec

from headrace.model.address import Address, PoolId
from headrace.model.pool import ProtocolId


class CalledHop(msgspec.Struct, frozen=True):
    """One pool on the way, as far as the calldata names it.

    Attributes:
        protocol: family of the function that was called; a pair's own `swap` says "uniswap_v2" for every fork and for
            Solidly, whose functions are the same.
        pool: where the calldata (or the called contract) is the pool; None where a router finds it by its tokens.
        token_in: None where the calldata gives an index or a direction instead.
        token_out: likewise.
        index_in: the token's place in the pool's own order, where the calldata gives that.
        index_out: likewise.
        fee_pips: the fee that chooses the pool among several of the same tokens (Uniswap v3).
    """

    protocol: ProtocolId
    pool: PoolId | None = None
    token_in: Address | None = None
    token_out: Address | None = None
    index_in: int | None = None
    index_out: int | None = None
    fee_pips: int | None = None


class SwapCall(msgspec.Struct, frozen=True):
    """A swap through one or more pools in a row.

    Attributes:
        via: the contract that is called: a router, a vault, a pool or an Executor.
        function: its name and the types of its arguments, or the name of a router's command.
        hops: from what is paid to what is bought.
        is_exact_in: whether the input is given and the output limited, or the other way about.
        amount_in_units: exactly what is paid, or else the most; None where it is not in the calldata (a balance at that
            time, an earlier step's output, several swaps under one limit).
        amount_out_units: exactly what is bought, or else the least; None likewise.
        recipient: who gets the output; None where it stays in the called contract for a later step, or with the
            Executor.
        deadline: Unix seconds after which it reverts; None without one, or where it is a block (an Executor's plan).
        sqrt_price_limit_x96: where a v3 pool stops early; 0 for none.
    """

    via: Address
    function: str
    hops: tuple[CalledHop, ...]
    is_exact_in: bool
    amount_in_units: int | None
    amount_out_units: int | None
    recipient: Address | None = None
    deadline: int | None = None
    sqrt_price_limit_x96: int = 0


class DecodedCall(msgspec.Struct, frozen=True):
    """What could be read of a transaction's calldata.

    Attributes:
        swaps: in the order of the calldata.
        undecoded: what might swap and was not read: selectors ("0xa9059cbb") and named commands.
        flaw: why calldata of a known function cannot be that; what came before the flaw is not kept, because the
            transaction would revert as a whole.
    """

    swaps: tuple[SwapCall, ...] = ()
    undecoded: tuple[str, ...] = ()
    flaw: str = ""


NOTHING_CALLED = DecodedCall()
