"""What all pools of Balancer's second vault share: balances, pauses, the vault's logs; no protocol of its own."""
