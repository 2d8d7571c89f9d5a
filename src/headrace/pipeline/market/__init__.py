"""What the world looks like now: complete blocks become immutable snapshots."""
