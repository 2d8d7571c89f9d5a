"""Market signals into settled, proven trades on decentralised exchanges."""
