"""Does this very transaction do it? The one place that builds `Rehearsed`."""
