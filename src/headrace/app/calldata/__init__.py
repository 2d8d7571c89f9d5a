"""Calldata of an Executor, shown to people before somebody signs it."""
