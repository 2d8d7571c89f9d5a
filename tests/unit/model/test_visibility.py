"""What a chain hides is named: never an empty set, always a reason."""

import pytest

from headrace.model.pending import visibility_of


@pytest.mark.parametrize("chain_id", [10, 324, 8453, 42161, 59144, 534352])
@pytest.mark.parametrize("is_public", [False, True])
def test_a_chain_with_one_sequencer_is_hidden_whatever_the_configuration_says(
    chain_id: int, *, is_public: bool
) -> None:
    visibility = visibility_of(chain_id, is_public=is_public)
    assert not visibility.is_visible
    assert "sequencer" in visibility.hidden_because


@pytest.mark.parametrize("chain_id", [1, 56, 137, 31337, 43114])
def test_any_other_chain_is_as_visible_as_the_configuration_says(chain_id: int) -> None:
    hidden, visible = (visibility_of(chain_id, is_public=flag) for flag in (False, True))
    assert not hidden.is_visible
    assert "public_mempool: false" in hidden.hidden_because
    assert visible.is_visible
    assert visible.hidden_because == ""


@pytest.mark.parametrize("chain_id", [1, 31337])
def test_even_where_it_is_visible_the_share_that_is_not_is_said_to_be_unknown(chain_id: int) -> None:
    caveats = visibility_of(chain_id, is_public=True).caveats
    assert any("privately" in caveat and "unknown" in caveat for caveat in caveats)
