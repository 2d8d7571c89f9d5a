"""What a pool's contract emits as the token of its own shares (ERC-20): no swap depends on who holds them."""

from headrace.adapters.protocols.words import topics_of

SHARE_TOPICS = topics_of("Transfer(address,address,uint256)", "Approval(address,address,uint256)")
