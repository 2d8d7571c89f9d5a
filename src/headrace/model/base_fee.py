"""How a block's base fee follows from its parent's: EIP-1559 with each chain's own numbers.

    target = gas_limit * target_share;  change = base_fee * |gas_used - target| / target / denominator

rounded down twice, in this order; a rise is at least 1 wei. Chains differ in the share and the denominator. On the OP
stack since Holocene both stand in the parent's extra data (version 0: denominator, elasticity; version 1, Jovian: a
least base fee behind them); what Jovian counts of data availability against the gas limit is not seen here, so a block
full of data may raise the fee by more than foretold. On Arbitrum gas used does not determine it: the parent's is
expected again.
Sources: EIP-1559; Polygon PIP-58 and bor's gas target; OP stack specifications, Canyon, Holocene and Jovian.
"""

import msgspec

_HOLOCENE, _HOLOCENE_BYTES = 0, 9
_JOVIAN, _JOVIAN_BYTES = 1, 17


class BaseFeeRule(msgspec.Struct, frozen=True, kw_only=True):
    """One chain's numbers; fractions are pairs of numerator and denominator.

    Attributes:
        target: share of the gas limit at which the base fee stays.
        change_denominator: of the change in one block; 0 where gas used does not determine it.
        rise_max: most that one block can raise the base fee by.
        is_told_by_header: whether the parent's extra data may say other numbers.
    """

    target: tuple[int, int]
    change_denominator: int
    rise_max: tuple[int, int]
    is_told_by_header: bool = False


ETHEREUM_BASE_FEE = BaseFeeRule(target=(1, 2), change_denominator=8, rise_max=(1, 8))
POLYGON_BASE_FEE = BaseFeeRule(target=(65, 100), change_denominator=64, rise_max=(35, 65 * 64))
OPTIMISM_BASE_FEE = BaseFeeRule(target=(1, 6), change_denominator=250, rise_max=(1, 8), is_told_by_header=True)
ARBITRUM_BASE_FEE = BaseFeeRule(target=(1, 2), change_denominator=0, rise_max=(1, 8))


class FeeParent(msgspec.Struct, frozen=True):
    """What a parent's header says that its child's base fee follows from."""

    base_fee_wei: int
    gas_used: int
    gas_limit: int
    extra_data: bytes = b""


def child_base_fee_wei(parent: FeeParent, rule: BaseFeeRule) -> int:
    """Base fee of the child block, exact where the rule determines it."""
    (numerator, denominator), change_denominator, least = rule.target, rule.change_denominator, 0
    if rule.is_told_by_header:
        told = _told(parent.extra_data)
        if told is not None:
            change_denominator, denominator, least = told
            numerator = 1
    target = parent.gas_limit * numerator // denominator
    delta = parent.gas_used - target
    if delta == 0 or target == 0 or change_denominator == 0:
        return max(parent.base_fee_wei, least)
    change = parent.base_fee_wei * abs(delta) // target // change_denominator
    fee = parent.base_fee_wei + max(change, 1) if delta > 0 else parent.base_fee_wei - change
    return max(fee, least)


def _told(extra_data: bytes) -> tuple[int, int, int] | None:
    """Denominator, elasticity and least base fee by the header; None where it has another form."""
    version = extra_data[0] if extra_data else None
    if (version, len(extra_data)) not in ((_HOLOCENE, _HOLOCENE_BYTES), (_JOVIAN, _JOVIAN_BYTES)):
        return None
    denominator, elasticity = int.from_bytes(extra_data[1:5]), int.from_bytes(extra_data[5:9])
    if denominator == 0 or elasticity == 0:
        return None
    return denominator, elasticity, int.from_bytes(extra_data[9:])
