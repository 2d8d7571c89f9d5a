"""Where pending transactions come from, and what their calldata means."""
