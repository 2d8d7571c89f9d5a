"""What is pending: who else is about to swap, as far as a chain lets one see it."""
