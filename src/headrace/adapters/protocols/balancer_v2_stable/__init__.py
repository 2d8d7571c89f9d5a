"""Balancer v2 stable pools: plain, meta-stable, phantom and composable."""

from headrace.adapters.protocols.balancer_v2_stable.dex import BalancerV2Stable

__all__ = ["BalancerV2Stable"]
