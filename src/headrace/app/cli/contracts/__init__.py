"""`headrace contracts deploy | verify | roles | allowlist`: the Executor on a chain, its owner and its lists."""

from headrace.app.cli.contracts.command import application

__all__ = ["application"]
