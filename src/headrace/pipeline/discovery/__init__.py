"""Which pools there are: a factory's events from its first block to the head, in ranges that a node puts up with."""
