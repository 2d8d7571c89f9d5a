"""Simulation by the node itself."""
