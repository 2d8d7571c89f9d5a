"""How, exactly? From a validated opportunity to the one transaction that does it."""
