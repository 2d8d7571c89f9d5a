"""A chain as it was recorded."""

from headrace.adapters.chains.recorded.chain import RecordedChain

__all__ = ["RecordedChain"]
