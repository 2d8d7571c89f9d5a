"""Calldata of public routers, vaults and pools, read into the swaps that it asks for."""
