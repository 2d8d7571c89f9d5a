"""What happened: a node's hints become ordered, complete blocks."""
