"""How it is known that a quote equals what the contract pays."""

from enum import StrEnum


class Proof(StrEnum):
    """Where the oracle came from. What is unproven is not traded live unless somebody says so."""

    BYTECODE = "bytecode"  # compared with the deployed contract's own code
    RECORDED = "recorded"  # compared with answers that a chain gave
    UNPROVEN = "unproven"  # from documents alone
