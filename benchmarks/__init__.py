"""One file per question; each prints a ratio against a named rival, both measured in the same run."""
