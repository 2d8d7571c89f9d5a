"""What to look for: one file each; others are loaded from packages by the entry point group `headrace.strategies`."""
