"""Inspection of tokens by what a node simulates."""
