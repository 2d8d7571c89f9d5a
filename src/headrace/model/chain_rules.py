"""In what EVM chains differ from Ethereum, as data: named rules, chosen by chain id or by the configuration.

A chain of unknown id gets Ethereum's rules, which are the strictest: whatever does not fit them shows as incomplete
blocks and makes its market stale, and never as a trade on wrong states.
"""

from enum import StrEnum
from types import MappingProxyType

import msgspec

from headrace.model.address import Address
from headrace.model.base_fee import (
    ARBITRUM_BASE_FEE,
    ETHEREUM_BASE_FEE,
    OPTIMISM_BASE_FEE,
    POLYGON_BASE_FEE,
    BaseFeeRule,
)


class ChainKind(StrEnum):
    """Whose rules a chain follows."""

    ETHEREUM = "ethereum"
    POLYGON = "polygon"  # proof of stake: state syncs are transactions of the system
    OPTIMISM = "optimism"  # the OP stack: Optimism, Base and their kin
    ARBITRUM = "arbitrum"  # Nitro: block.number is the first layer's
    OTHER = "other"  # unknown: Ethereum's rules


class BloomRule(StrEnum):
    """What a header's bloom filter says of the logs that a node gives for its block."""

    EXACT = "exact"  # it is theirs, bit for bit
    COVERED = "covered"  # no bit of it is missing in theirs; logs of the system may not be in it


class ChainRules(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of chain.

    Attributes:
        kind: its name.
        base_fee: how the next block's base fee follows.
        bloom: by which rule a block's logs are found complete.
        are_receipts_provable: whether the receipts root can be recomputed from what a node tells.
        is_deadline_kept: whether a contract's `block.number` is the number of the block it executes in, so that a
            plan's deadline means what it says; where not, nothing is sent.
        l1_fee_oracle: contract that tells what a transaction's data costs on the first layer, where there is such a
            fee besides gas.
    """

    kind: ChainKind
    base_fee: BaseFeeRule = ETHEREUM_BASE_FEE
    bloom: BloomRule = BloomRule.EXACT
    are_receipts_provable: bool = True
    is_deadline_kept: bool = True
    l1_fee_oracle: Address | None = None


GAS_PRICE_ORACLE = Address("0x420000000000000000000000000000000000000f")  # a predeploy of the OP stack
_RULES = MappingProxyType(
    {
        rules.kind: rules
        for rules in (
            ChainRules(kind=ChainKind.ETHEREUM),
            ChainRules(
                kind=ChainKind.POLYGON,
                base_fee=POLYGON_BASE_FEE,
                bloom=BloomRule.COVERED,
                are_receipts_provable=False,
            ),
            ChainRules(
                kind=ChainKind.OPTIMISM,
                base_fee=OPTIMISM_BASE_FEE,
                are_receipts_provable=False,  # receipts of deposits have a form of their own
                l1_fee_oracle=GAS_PRICE_ORACLE,
            ),
            ChainRules(
                kind=ChainKind.ARBITRUM,
                base_fee=ARBITRUM_BASE_FEE,
                bloom=BloomRule.COVERED,
                are_receipts_provable=False,
                is_deadline_kept=False,
            ),
            ChainRules(kind=ChainKind.OTHER),
        )
    }
)
_IDS = {
    ChainKind.ETHEREUM: (1, 17_000, 560_048, 11_155_111, 31_337),  # and Holesky, Hoodi, Sepolia, a devnet
    ChainKind.POLYGON: (137, 80_002),  # and Amoy
    ChainKind.OPTIMISM: (10, 8_453, 130, 7_777_777, 34_443, 84_532, 11_155_420),  # Base, Unichain, Zora, Mode, tests
    ChainKind.ARBITRUM: (42_161, 42_170, 421_614),  # One, Nova, Sepolia
}
_KIND_OF = MappingProxyType({chain_id: kind for kind, ids in _IDS.items() for chain_id in ids})


def chain_rules(chain_id: int, kind: ChainKind | None = None) -> ChainRules:
    """Rules of a chain: of `kind` where it is said, else by its id."""
    return _RULES[kind or _KIND_OF.get(chain_id, ChainKind.OTHER)]
