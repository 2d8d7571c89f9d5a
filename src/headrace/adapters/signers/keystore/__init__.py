"""Keys in encrypted files."""
