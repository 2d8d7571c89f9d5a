"""Nouns that flow down the line: frozen, without I/O and without a clock."""
