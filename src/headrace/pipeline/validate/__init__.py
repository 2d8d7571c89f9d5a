"""Is it real, and may we? The one place that builds `Validated`."""
