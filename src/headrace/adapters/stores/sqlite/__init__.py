"""Stores in one SQLite file: no server."""
