"""Log lines go to stderr: stdout belongs to results, and with `--json` it holds one document."""

import sys

import structlog


def log_to_stderr() -> None:
    """Send every log line of this process to whatever stderr is at that moment."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
