"""The entry point. It imports next to nothing before it can catch a Ctrl-C: the rest loads inside `main`."""

import os
import sys

from headrace.app.cli.exit_codes import BROKEN_PIPE, INTERRUPTED
from headrace.app.cli.interrupts import interrupts_held


def main() -> None:
    """Run the command line of this process and exit."""
    try:
        with interrupts_held():
            from headrace.app.cli.invocation import invoke  # noqa: PLC0415 - so that Ctrl-C while it loads ends cleanly

        code = invoke(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone: `headrace ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)
