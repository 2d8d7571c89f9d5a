"""Balancer v3 weighted and stable pools."""

from headrace.adapters.protocols.balancer_v3.dex import BalancerV3

__all__ = ["BalancerV3"]
