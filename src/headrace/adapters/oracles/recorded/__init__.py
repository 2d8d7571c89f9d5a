"""Prices as they were recorded."""

from headrace.adapters.oracles.recorded.oracle import RecordedOracle

__all__ = ["RecordedOracle"]
