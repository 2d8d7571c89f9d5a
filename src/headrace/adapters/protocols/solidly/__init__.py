"""Solidly and its forks (Velodrome, Aerodrome, Equalizer, Thena ...): volatile and stable pairs."""

from headrace.adapters.protocols.solidly.dex import Solidly

__all__ = ["Solidly"]
