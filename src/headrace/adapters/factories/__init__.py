"""What makes pools, one file per protocol: its events, and the rule by which an event's pool must be its own."""
