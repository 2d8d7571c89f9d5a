"""What was discovered, kept in files."""
