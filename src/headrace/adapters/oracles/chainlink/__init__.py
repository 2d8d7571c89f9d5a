"""Dollar prices from Chainlink's on-chain feeds."""
