"""Exit codes that no error of ours names, as shells have them."""

INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE
