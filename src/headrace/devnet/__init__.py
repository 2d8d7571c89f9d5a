"""A whole market on this machine: a local chain with real protocol bytecode, traders, rivals, moving prices."""
