"""What a live run needs before it may send anything."""

from headrace.app.config.tree import Config, WalletConfig
from headrace.errors import UsageError


def require_live(config: Config, *, allow_public: bool) -> WalletConfig:
    """The wallet that signs.

    Raises:
        UsageError: there is no wallet; or contracts of the chain see another block number than their own, so that no
            plan has a deadline; or the chain's mempool is public, there is no private endpoint, and nobody said that
            this is accepted.
    """
    if config.wallet is None:
        raise UsageError("a live run signs transactions: add a `wallet` section (see `headrace wallet create`)")
    chain = config.chain
    if not chain.rules.is_deadline_kept:
        raise UsageError(
            f"contracts on {config.chain_name} see the first layer's block number ({chain.rules.kind}), so a plan would"
            " have no deadline: run it without --live"
        )
    if chain.public_mempool and chain.private_rpc is None and not allow_public:
        raise UsageError(
            f"pending transactions on {config.chain_name} are public, so others can copy or front-run them:"
            " set `private_rpc`, or accept it with --allow-public"
        )
    return config.wallet
