"""Balancer v2 weighted pools."""

from headrace.adapters.protocols.balancer_v2.dex import BalancerV2

__all__ = ["BalancerV2"]
