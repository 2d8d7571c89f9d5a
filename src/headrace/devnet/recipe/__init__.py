"""How the devnet's market is made: one file per protocol, each usable alone."""
