import pytest

from headrace.model.base_fee import ETHEREUM_BASE_FEE
from headrace.model.chain_rules import BloomRule, ChainKind, chain_rules


@pytest.mark.parametrize(
    ("chain_id", "kind"),
    [
        (1, ChainKind.ETHEREUM),
        (31_337, ChainKind.ETHEREUM),
        (137, ChainKind.POLYGON),
        (10, ChainKind.OPTIMISM),
        (8_453, ChainKind.OPTIMISM),
        (42_161, ChainKind.ARBITRUM),
        (999_999, ChainKind.OTHER),
    ],
)
def test_a_chains_rules_follow_from_its_id(chain_id: int, kind: ChainKind) -> None:
    assert chain_rules(chain_id).kind == kind


@pytest.mark.parametrize("kind", ChainKind)
def test_what_the_configuration_says_goes_before_the_id(kind: ChainKind) -> None:
    assert chain_rules(1, kind).kind == kind


def test_an_unknown_chain_gets_the_strictest_rules() -> None:
    rules = chain_rules(999_999)
    assert (rules.base_fee, rules.bloom) == (ETHEREUM_BASE_FEE, BloomRule.EXACT)
    assert rules.are_receipts_provable
    assert rules.is_deadline_kept


def test_what_each_kind_cannot_promise_is_named() -> None:
    by_kind = {kind: chain_rules(0, kind) for kind in ChainKind}
    assert {kind for kind, rules in by_kind.items() if not rules.is_deadline_kept} == {ChainKind.ARBITRUM}
    assert {kind for kind, rules in by_kind.items() if rules.l1_fee_oracle} == {ChainKind.OPTIMISM}
    assert {kind for kind, rules in by_kind.items() if rules.bloom == BloomRule.COVERED} == {
        ChainKind.POLYGON,
        ChainKind.ARBITRUM,
    }
    assert {kind for kind, rules in by_kind.items() if rules.are_receipts_provable} == {
        ChainKind.ETHEREUM,
        ChainKind.OTHER,
    }
