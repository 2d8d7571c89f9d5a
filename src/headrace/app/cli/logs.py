"""Log lines go to stderr: stdout belongs to results, and with `--json` it holds one document."""

import sys

import structlog


def log_to_stderr(level: str = "info") -> None:
    """Send every log line of this process, from `level` up, to whatever stderr is at that moment."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
